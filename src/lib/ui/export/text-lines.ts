/** Text of the page, line by line as it was set: what stands where. */
export interface TextLine {
	text: string;
	left: number;
	right: number;
	top: number;
	bottom: number;
}

/** Lines of one text node, in px of the window. Space that the page collapses is collapsed here too. */
export function textLines(node: Text, keepsSpace: boolean): TextLine[] {
	const range = document.createRange();
	const lines: TextLine[] = [];
	const data = node.data;
	const take = (from: number, to: number) => {
		let text = data.slice(from, to);
		if (!keepsSpace) {
			from += text.length - text.trimStart().length;
			text = text.trim();
			to = from + text.length;
			text = text.replace(/\s+/g, ' ');
		}
		if (text === '' || from >= to) return;
		range.setStart(node, from);
		range.setEnd(node, to);
		const box = range.getBoundingClientRect();
		if (box.width > 0) lines.push({ text, left: box.left, right: box.right, top: box.top, bottom: box.bottom });
	};
	range.selectNodeContents(node);
	if (range.getClientRects().length <= 1) take(0, data.length);
	else {
		let from = 0;
		let top: number | null = null;
		for (let i = 0; i < data.length; i++) {
			range.setStart(node, i);
			range.setEnd(node, i + 1);
			const box = range.getClientRects()[0];
			if (!box || box.width === 0) continue;
			if (top !== null && Math.abs(box.top - top) > 2) {
				take(from, i);
				from = i;
			}
			top = box.top;
		}
		take(from, data.length);
	}
	return lines;
}
