/** SVG to PNG, and words inside a PNG. */

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n >>> 0;
});

function crc(bytes: Uint8Array): number {
	let c = 0xffffffff;
	for (const byte of bytes) c = CRC[(c ^ byte) & 0xff] ^ (c >>> 8);
	return (c ^ 0xffffffff) >>> 0;
}

/** A PNG with texts as iTXt chunks (PNG specification, 11.3.3) behind its header. Pure. */
export function withTexts(png: Uint8Array, texts: Record<string, string>): Uint8Array<ArrayBuffer> {
	const encode = (text: string) => new TextEncoder().encode(text);
	const chunks = Object.entries(texts).map(([keyword, text]) => {
		// Keyword, 0, not compressed, method 0, no language, no translated keyword.
		const data = [...encode('iTXt'), ...encode(keyword), 0, 0, 0, 0, 0, ...encode(text)];
		const chunk = new Uint8Array(data.length + 8);
		const view = new DataView(chunk.buffer);
		view.setUint32(0, data.length - 4);
		chunk.set(data, 4);
		view.setUint32(data.length + 4, crc(chunk.subarray(4, data.length + 4)));
		return chunk;
	});
	// Eight bytes of signature, then the header chunk of 25 bytes.
	const parts = [png.subarray(0, 33), ...chunks, png.subarray(33)];
	const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
	let at = 0;
	for (const part of parts) {
		out.set(part, at);
		at += part.length;
	}
	return out;
}

/** Draws an SVG that stands alone, `scale` device pixels a unit. Throws when the browser cannot draw it. */
export async function rasterize(svg: string, width: number, height: number, scale = 2): Promise<Uint8Array> {
	const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
	try {
		const image = new Image();
		image.src = url;
		await image.decode();
		const canvas = document.createElement('canvas');
		canvas.width = Math.round(width * scale);
		canvas.height = Math.round(height * scale);
		canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
		const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
		if (!blob) throw new RangeError('The picture is too large for this browser to draw.');
		return new Uint8Array(await blob.arrayBuffer());
	} finally {
		URL.revokeObjectURL(url);
	}
}
