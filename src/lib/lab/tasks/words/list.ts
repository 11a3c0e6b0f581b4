/** Word lists are written as running text, one list a constant: short to read, easy to extend. */
export const list = (text: string): readonly string[] => text.trim().split(/\s+/);
/** The same for entries of several words, separated by commas. */
export const phrases = (text: string): readonly string[] =>
	text
		.trim()
		.split(/\s*,\s*/)
		.filter(Boolean);
