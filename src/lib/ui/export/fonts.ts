/** The page's fonts for a file that stands alone: the faces that its letters need, as data. */

/** Does a `unicode-range` hold any of these letters? An empty range holds all. Pure. */
export function inRange(range: string, letters: Iterable<string>): boolean {
	const spans = range.split(',').map((part) => part.trim()).filter(Boolean).map((part) => {
		const [from, to] = part.replace(/^U\+/i, '').split('-');
		return [parseInt(from.replaceAll('?', '0'), 16), parseInt((to ?? from).replaceAll('?', 'F'), 16)];
	});
	if (spans.length === 0) return true;
	for (const letter of letters) {
		const code = letter.codePointAt(0)!;
		if (spans.some(([from, to]) => code >= from && code <= to)) return true;
	}
	return false;
}

const unquoted = (name: string) => name.trim().replace(/^["']|["']$/g, '');

function* faces(): Generator<{ rule: CSSFontFaceRule; base: string }> {
	for (const list of document.styleSheets) {
		let rules: CSSRuleList;
		try {
			rules = list.cssRules;
		} catch {
			continue; // Another origin's stylesheet cannot be read.
		}
		for (const rule of rules) if (rule instanceof CSSFontFaceRule) yield { rule, base: list.href ?? document.baseURI };
	}
}

async function asData(url: string): Promise<string> {
	const blob = await (await fetch(url)).blob();
	return new Promise((done, failed) => {
		const reader = new FileReader();
		reader.onload = () => done(String(reader.result));
		reader.onerror = () => failed(reader.error);
		reader.readAsDataURL(blob);
	});
}

/** `@font-face` rules for letters by CSS font family list. A face that cannot be fetched is left out. */
export async function fontRules(fonts: ReadonlyMap<string, ReadonlySet<string>>): Promise<string> {
	const letters = new Map<string, Set<string>>();
	for (const [families, used] of fonts) {
		for (const family of families.split(',').map(unquoted)) letters.set(family, new Set([...(letters.get(family) ?? []), ...used]));
	}
	const rules = [...faces()].map(async ({ rule, base }) => {
		const family = unquoted(rule.style.getPropertyValue('font-family'));
		const used = letters.get(family);
		const range = rule.style.getPropertyValue('unicode-range');
		const url = /url\(["']?([^"')]+\.woff2)["']?\)/.exec(rule.style.getPropertyValue('src'))?.[1];
		if (!used || !url || !inRange(range, used)) return '';
		const look = ['font-style', 'font-weight', 'font-stretch'].map((name) => [name, rule.style.getPropertyValue(name)]).filter(([, value]) => value);
		try {
			const data = await asData(new URL(url, base).href);
			return `@font-face{font-family:'${family}';${look.map(([name, value]) => `${name}:${value};`).join('')}src:url(${data}) format('woff2');${range ? `unicode-range:${range};` : ''}}`;
		} catch {
			return '';
		}
	});
	return (await Promise.all(rules)).join('');
}
