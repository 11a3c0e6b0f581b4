import { percent, significant } from '../../format.ts';
import type { Part } from '../../parts.ts';

const place = (layer: number, head: number): string => `Layer ${layer}, KV head ${head}`;

export const spectrum = {
	series: { keyBefore: 'K before RoPE', keyAfter: 'K after RoPE', value: 'V' },
	finding: (layer: number, head: number): string =>
		`${place(layer, head)}. Singular values over the prompt; what lies beyond the rank is hollow. Drag the rank; click a cell to change the head.`,
	summary: (layer: number, head: number, directions: number, series: { name: string; largest: number; smallest: number; rank: number; energy: number }[]): string =>
		`${place(layer, head)}, ${directions} directions. ` +
		series.map((s) => `${s.name}: largest singular value ${significant(s.largest)}, smallest ${significant(s.smallest)}; the first ${s.rank} hold ${percent(s.energy, 1)} of the energy.`).join(' '),
	plot: 'Singular values, log scale',
	axis: 'singular value, log',
	armRank: (letter: string, series: string, rank: number): string => `arm ${letter}, ${series}: rank ${rank}`,
	rankOf: (rank: number, directions: number): string => `rank ${rank} of ${directions}`,
	asArm: (letter: string): string => `, as arm ${letter}`,
	handle: 'Rank',
	rank: 'rank',
	energy: (name: string, rank: number, energy: number): Part[] => [
		`${name}: the first `, { num: `${rank}` }, ' hold ', { num: percent(energy, 1), strong: true }, ' of the energy'
	],
	back: (letter: string | null): string => `Back to ${letter === null ? '95 % of the keys’ energy' : `the rank of arm ${letter}`}`,
	what: 'the spectrum of this head',
	ranks: {
		title: 'Rank that holds 95 % of the energy',
		layer: (layer: number, first: boolean): string => `${first ? 'layer ' : ''}${layer}`,
		cell: (series: string, layer: number, head: number, rank: number): string => `${series}, layer ${layer}, KV head ${head}: rank ${rank}`,
		axes: 'rows: layers; columns: KV heads'
	},
	table: {
		caption: (layer: number, head: number): string => `Singular values of layer ${layer}, KV head ${head}, over the prompt`,
		index: 'index'
	}
};
