/** Text for an XML document: marks escaped, what XML forbids left out. */
export function xml(text: string): string {
	// eslint-disable-next-line no-control-regex -- these characters may not stand in XML at all
	return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
		.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Attributes of an element; undefined ones and empty strings are left out, numbers get two decimals. */
export function attributes(values: Record<string, string | number | undefined>): string {
	return Object.entries(values)
		.filter(([, value]) => value !== undefined && value !== '')
		.map(([name, value]) => ` ${name}="${xml(typeof value === 'number' ? `${Math.round(value * 100) / 100}` : value!)}"`)
		.join('');
}
