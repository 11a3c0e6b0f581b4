/** The command line's arguments. A wrong one is the user's: exit code 2, and the message says what to write. */
export class UsageError extends Error {
	override name = 'UsageError';
}

export interface Arguments {
	words: string[];
	options: Map<string, string>;
}

/** Splits `a b --name value --flag`; names in `flags` take no value. */
export function readArguments(args: readonly string[], flags: readonly string[]): Arguments {
	const words: string[] = [];
	const options = new Map<string, string>();
	for (let i = 0; i < args.length; i++) {
		const arg = args[i];
		if (!arg.startsWith('--')) {
			words.push(arg);
			continue;
		}
		const equals = arg.indexOf('=');
		const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
		if (flags.includes(name)) {
			options.set(name, 'true');
			continue;
		}
		const value = equals < 0 ? args[++i] : arg.slice(equals + 1);
		if (value === undefined) throw new UsageError(`--${name} needs a value`);
		options.set(name, value);
	}
	return { words, options };
}

/** Throws for options that a command does not know. */
export function onlyOptions(options: Map<string, string>, known: readonly string[]): void {
	for (const name of options.keys()) {
		if (!known.includes(name)) {
			throw new UsageError(`there is no option --${name} here; ${known.length ? `there are ${known.map((k) => `--${k}`).join(', ')}` : 'there are none'}`);
		}
	}
}

/** An option as a whole number of at least 1. */
export function whole(options: Map<string, string>, name: string, preset: number): number {
	const text = options.get(name) ?? String(preset);
	if (!/^\d+$/.test(text) || Number(text) < 1) throw new UsageError(`--${name} must be a whole number of at least 1, not ${text}`);
	return Number(text);
}

/** A value as the number, truth or text that it looks like. */
export function plainValue(text: string): string | number | boolean {
	if (text === 'true' || text === 'false') return text === 'true';
	return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}
