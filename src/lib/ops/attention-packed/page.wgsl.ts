/** WGSL that reads a page: words, half floats, codes, rulers. */
import type { SideFormat } from './format.ts';
import type { PackedPlan } from './plan.ts';

/** The text for i = 0 … n-1. */
export const each = (n: number, text: (i: number) => string) => Array.from({ length: n }, (_, i) => text(i)).join(' ');

/** Vector i of a word's codes, as code / 255. `i` is a number or WGSL for one. */
export function fourCodes({ bits }: SideFormat, word: string, i: number | string): string {
	if (bits === 8) return `unpack4x8unorm(${word})`;
	const shift = typeof i === 'number' ? `${i * bits}u` : `u32(${i} * ${bits})`;
	return `unpack4x8unorm((${word} >> ${shift}) & ${bits === 4 ? '0x0f0f0f0fu' : '0x03030303u'})`;
}

/** Words of codes under one ruler, where rulers cover whole words. */
export const wordsPerGroup = ({ group, bits }: SideFormat, words: number) => Math.min(words, Math.ceil((group * bits) / 32));

/** `steps` and `zeros` of channels 4 v … 4 v + 3 of row `row`, looked up one by one. */
export const fourRulers = (name: 'key' | 'value', headDim: number, row: string) => `
	var steps = vec4<f32>(0.0);
	var zeros = vec4<f32>(0.0);
	for (var k = 0; k < 4; k++) {
		if (4 * v + k < ${headDim}) { let own = ${name}Ruler(page, ${row}, 4 * v + k); steps[k] = own.x; zeros[k] = own.y; }
	}`;

/** Functions over the bindings `pool` and `table`. */
export function readers({ layout, format }: PackedPlan): string {
	const lookup = (name: 'key' | 'value') => {
		const { axis, group } = format[name];
		const { rulers, bottom } = layout[name];
		return `
// Step (for code / 255) and value of code 0, of channel c of row r.
fn ${name}Ruler(page : i32, r : i32, c : i32) -> vec2<f32> {
	let bits = word(page + ${rulers} + ${axis === 'token' ? `(c / ${group}) * ${format.rows} + r` : 'c'});
	let step = half(bits & 0xffffu);
	return vec2<f32>(255.0 * step, half(bits >> 16u) + (${bottom.toFixed(1)}) * step);
}`;
	};
	return `
fn word(at : i32) -> u32 { return bitcast<u32>(pool[at]); }
// A half float by its bits: unpack2x16float may take small ones for 0.
fn half(bits : u32) -> f32 {
	let exponent = (bits >> 10u) & 31u;
	let mantissa = (bits & 1023u) | select(0u, 1024u, exponent > 0u);
	let size = f32(mantissa) * bitcast<f32>((max(exponent, 1u) + 102u) << 23u);
	return select(size, -size, bits > 32767u);
}
// First word of a head's page, negative where the slot is a hole.
fn pageAt(head : i32, slot : i32) -> i32 {
	return table[2 * uniforms.batch + uniforms.allHeads + head * uniforms.slots + slot] * ${layout.words};
}${lookup('key')}${lookup('value')}`;
}
