/** How a kernel reads a weight of one format: what a load gives, and how four numbers come out of it. */
import { GROUP, type WeightFormat } from './formats.ts';

export interface Source {
	/** Numbers of one load. */
	unit: number;
	/** Fours of numbers of one load: the factors of one vec4 of `x` each. */
	quads: number;
	/** Components of an element of `w` and of `x`. */
	components: 1 | 4;
	/** WGSL type of a load. */
	load: string;
	/** WGSL type of a four, and of an element of `x`. */
	type: 'vec4<f32>' | 'f32';
	/** Loads that share a scale; 0 without scales. */
	perScale: number;
	/** Defines `quad(load, j)`, four number j of a load (before scaling), and `product(x, four)`. */
	functions: string;
}

const QUAD: Record<WeightFormat, string> = {
	f32: 'return load;',
	f16: 'return vec4<f32>(unpack2x16float(bitcast<u32>(load[2 * j])), unpack2x16float(bitcast<u32>(load[2 * j + 1])));',
	int8: 'return unpack4x8snorm(bitcast<u32>(load[j]));',
	// The subtraction takes code 8, which is zero, to 0.
	int4: `return unpack4x8unorm((bitcast<u32>(load[j / 2]) >> u32(4 * (j % 2))) & 0x0f0f0f0fu) - vec4<f32>(${8 / 255});`
};

const LOADED: Record<WeightFormat, number> = { f32: 4, f16: 8, int8: 16, int4: 32 };

export function sourceOf(format: WeightFormat, inputs: number): Source {
	const single = inputs % 4 !== 0;
	const unit = single ? 1 : LOADED[format];
	const load = single ? 'f32' : format === 'f32' ? 'vec4<f32>' : 'vec4<i32>';
	const type = single ? 'f32' : 'vec4<f32>';
	return {
		unit,
		quads: single ? 1 : unit / 4,
		components: single ? 1 : 4,
		load,
		type,
		perScale: format === 'int8' || format === 'int4' ? GROUP / unit : 0,
		functions: `
fn quad(load : ${load}, j : i32) -> ${type} { ${QUAD[format]} }
fn product(a : ${type}, b : ${type}) -> f32 { return ${single ? 'a * b' : 'dot(a, b)'}; }`
	};
}
