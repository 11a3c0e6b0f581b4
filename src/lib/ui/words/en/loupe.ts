export const loupe = {
	note: (layer: number, letter: string): string => `layer ${layer}, arm ${letter}`,
	summary: (layer: number, columns: { label: string; heads: { head: number; state: string }[] }[]): string =>
		`Layer ${layer}. ${columns.map((c) => `${c.label}: ${c.heads.map((h) => `head ${h.head} ${h.state}`).join(', ')}`).join('. ')}`,
	head: (head: number): string => `h${head}`,
	newest: 'The newest nine positions. Click a token to look there.',
	round: 'Nine positions round the selection.'
};
