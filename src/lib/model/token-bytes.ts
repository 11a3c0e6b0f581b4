/** The bytes that a token of a vocabulary stands for. */

/**
 * Byte-level BPE writes every byte as one printable character: printable Latin-1 as itself, the
 * other 68 bytes in order as U+0100, U+0101…
 */
const byteOfCharacter = (() => {
	const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
	const map = new Map<string, number>();
	let others = 0;
	for (let b = 0; b < 256; b++) map.set(String.fromCharCode(printable(b) ? b : 256 + others++), b);
	return map;
})();

const utf8 = new TextEncoder();

export function byteLevelBytes(token: string): Uint8Array {
	const bytes: number[] = [];
	for (const character of token) {
		const byte = byteOfCharacter.get(character);
		// Added tokens are written plainly.
		if (byte === undefined) bytes.push(...utf8.encode(character));
		else bytes.push(byte);
	}
	return Uint8Array.from(bytes);
}

/** SentencePiece style: `▁` is a space, `<0xNN>` a byte. */
export function sentencePieceBytes(token: string): Uint8Array {
	const byte = /^<0x([0-9A-F]{2})>$/i.exec(token);
	return byte ? Uint8Array.of(parseInt(byte[1], 16)) : utf8.encode(token.replaceAll('▁', ' '));
}
