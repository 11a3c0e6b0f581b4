/** The table behind a picture, and the files made from it. Pure. */

export interface Table {
	caption: string;
	columns: readonly string[];
	rows: readonly (readonly (string | number)[])[];
}

/** RFC 4180, CRLF line ends, numbers in full precision. */
export function toCsv(table: Table): string {
	const cell = (value: string | number) => {
		const text = String(value);
		return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
	};
	return [table.columns, ...table.rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** One object a row; `about` says where the numbers come from. */
export function toJson(table: Table, about: Readonly<Record<string, string>> = {}): string {
	const rows = table.rows.map((row) => Object.fromEntries(table.columns.map((name, i) => [name, row[i]])));
	return JSON.stringify({ caption: table.caption, ...about, rows }, null, '\t');
}

/** Offers text as a file. */
export function download(name: string, type: string, text: string | Blob): void {
	const blob = typeof text === 'string' ? new Blob([text], { type }) : text;
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
