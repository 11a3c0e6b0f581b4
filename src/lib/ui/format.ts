/** Numbers and tokens as words: precision that the number deserves, in the reader's locale. */

const locale = 'en';
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** A typographic minus. */
const minus = (text: string) => text.replace('-', '\u2212');

/** Thousands separated by a thin space. */
export function count(value: number): string {
	return minus(whole.format(value)).replaceAll(',', '\u202f');
}

/** `digits` significant digits, no exponent in the range that pictures use. */
export function significant(value: number, digits = 3): string {
	if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '\u2212∞' : 'NaN';
	if (value === 0) return '0';
	const size = Math.abs(value);
	if (size >= 1e6 || size < 1e-5) return minus(value.toExponential(Math.max(0, digits - 1)));
	const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
	return minus(value.toFixed(Math.min(decimals, 8)));
}

const UNITS = ['B', 'kB', 'MB', 'GB'] as const;

/** Bytes in decimal units with three significant digits: "518 kB". */
export function bytes(value: number): string {
	let unit = 0;
	let size = Math.abs(value);
	while (size >= 999.5 && unit < UNITS.length - 1) {
		size /= 1000;
		unit++;
	}
	const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
	return `${minus((Math.sign(value) * size).toFixed(digits))}\u00a0${UNITS[unit]}`;
}

/** Reads "152 kB", "0.5MB", "20 %" (of `full`) or a bare number in the unit of `bytes(full)`. */
export function parseBytes(text: string, full: number): number | null {
	const match = /^\s*([0-9]*[.,]?[0-9]+)\s*(b|kb|mb|gb|%)?\s*$/i.exec(text);
	if (!match) return null;
	const value = Number(match[1].replace(',', '.'));
	const unit = match[2]?.toLowerCase() ?? bytes(full).split('\u00a0')[1].toLowerCase();
	if (unit === '%') return (value / 100) * full;
	return value * 1000 ** ['b', 'kb', 'mb', 'gb'].indexOf(unit);
}

/** Probability: three decimals without the leading zero, as tables of statistics print it. */
export function probability(value: number): string {
	if (value >= 0.9995) return '1.000';
	return value.toFixed(3).slice(1);
}

/** KL divergence or negative log likelihood in nats. */
export function nats(value: number): string {
	const size = Math.abs(value);
	if (size < 5e-5) return size === 0 ? '0' : '< .0001';
	return minus(size >= 10 ? value.toFixed(1) : size >= 0.01 ? value.toFixed(3) : value.toFixed(4));
}

export function percent(share: number, digits = 0): string {
	return `${minus((share * 100).toFixed(digits))}\u00a0%`;
}

/** A token as it is printed: a leading or lone space becomes a middle dot, other white space a sign. */
export function visibleToken(text: string): string {
	return text.replaceAll(' ', '·').replaceAll('\n', '↵').replaceAll('\t', '⇥') || '∅';
}

/** Tokens as running text: what only the model reads (`<|bos|>`) is left out. */
export function readable(texts: readonly string[]): string {
	return texts.filter((text) => !/^<\|[^|]*\|>$/.test(text)).join('').trim();
}

/** A token as a word for prose and axis rows: trimmed unless nothing would be left. */
export function wordToken(text: string): string {
	return text.trim() === '' ? visibleToken(text) : text.trim();
}
