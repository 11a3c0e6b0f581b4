import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inRange } from './fonts.ts';
import { gradient } from './gradient.ts';
import { withTexts } from './png.ts';
import { sheet, wrap, type SheetLook } from './sheet.ts';
import { attributes, xml } from './xml.ts';

const measure = (text: string) => text.length * 7;
const look: SheetLook = { voice: 'serif', ui: 'sans-serif', num: 'monospace', ink: '#000', faint: '#444', paper: '#fff', measure };

describe('text in a file', () => {
	it('keeps its marks, and loses what XML forbids', () => {
		expect(xml('a<b> & "c"\u0000\n')).toBe('a&lt;b&gt; &amp; &quot;c&quot;\n');
		expect(attributes({ x: 1.2345, y: undefined, fill: '', id: 'a"b' })).toBe(' x="1.23" id="a&quot;b"');
	});
	it('is broken so that every line fits and no letter is lost', () => {
		fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 30, max: 300 }), (text, room) => {
			const lines = wrap(text, room, measure);
			expect(lines.every((line) => measure(line) <= room || line.length === 1)).toBe(true);
			expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
		}));
	});
});

describe('a sheet', () => {
	const text = { title: 'Bill & bytes', caption: 'What it costs.', summary: 'Arm A costs most.', provenance: 'A recorded run.', link: `https://example.org/#w1.${'x'.repeat(300)}` };
	it('carries title, caption, source and link, and needs no more than itself', () => {
		const { svg, width, height } = sheet({ width: 600, height: 100, body: '<rect/>' }, text, look);
		for (const part of ['Bill &amp; bytes', 'What it costs.', 'Arm A costs most.', 'A recorded run.', `href="${text.link}"`, '<rect/>']) expect(svg).toContain(part);
		expect(svg).not.toMatch(/var\(|foreignObject/);
		expect([width, height > 100]).toEqual([648, true]);
	});
	it('is wide enough for words beside a small picture', () => {
		expect(sheet({ width: 100, height: 10, body: '' }, text, look).width).toBe(528);
	});
	it('cannot be ended by its styles', () => {
		expect(sheet({ width: 1, height: 1, body: '' }, text, look, 'a{}</style><script>').svg).not.toContain('<script>');
	});
});

describe('colours from left to right', () => {
	it('become stops at their places', () => {
		expect(gradient('linear-gradient(90deg, rgb(1, 2, 3), rgb(4, 5, 6))', 'g')?.markup)
			.toBe('<linearGradient id="g"><stop offset="0" stop-color="rgb(1, 2, 3)"/><stop offset="1" stop-color="rgb(4, 5, 6)"/></linearGradient>');
		expect(gradient('linear-gradient(90deg, rgb(1, 2, 3) 50%, rgba(0, 0, 0, 0) 50%)', 'g')?.markup).toContain('offset="0.5" stop-color="white" stop-opacity="0"');
	});
	it('are left alone when they run another way', () => {
		expect([gradient('none', 'g'), gradient('linear-gradient(rgb(0, 0, 0), rgb(1, 1, 1))', 'g')]).toEqual([null, null]);
	});
});

describe('fonts', () => {
	it('are taken along where a range holds a letter', () => {
		expect(inRange('U+0000-00FF, U+2212', '−')).toBe(true);
		expect(inRange('U+0000-00FF', '−')).toBe(false);
		expect(inRange('U+4??', 'Ж')).toBe(true);
		expect(inRange('', 'Ж')).toBe(true);
	});
});

describe('a PNG with words', () => {
	/** One black pixel: signature, header, data, end. */
	const png = Uint8Array.from(Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==', 'base64'));
	/** CRC-32 bit by bit, the slow way. */
	function crc(bytes: Uint8Array): number {
		let c = 0xffffffff;
		for (const byte of bytes) {
			c ^= byte;
			for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
		}
		return ~c >>> 0;
	}
	function chunks(bytes: Uint8Array): { type: string; data: Uint8Array; sound: boolean }[] {
		const view = new DataView(bytes.buffer, bytes.byteOffset);
		const out = [];
		for (let at = 8; at < bytes.length; ) {
			const size = view.getUint32(at);
			const type = new TextDecoder('latin1').decode(bytes.subarray(at + 4, at + 8));
			out.push({ type, data: bytes.subarray(at + 8, at + 8 + size), sound: view.getUint32(at + 8 + size) === crc(bytes.subarray(at + 4, at + 8 + size)) });
			at += size + 12;
		}
		return out;
	}
	it('stays a sound PNG and gives the words back', () => {
		const found = chunks(withTexts(png, { Title: 'Karte — Größe', Source: 'https://example.org/#w1.abc' }));
		expect(found.map((c) => c.type)).toEqual(['IHDR', 'iTXt', 'iTXt', 'IDAT', 'IEND']);
		expect(found.every((c) => c.sound)).toBe(true);
		expect(new TextDecoder().decode(found[1].data)).toBe('Title\0\0\0\0\0Karte — Größe');
	});
});
