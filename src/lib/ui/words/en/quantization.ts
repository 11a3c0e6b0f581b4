import { percent, significant } from '../../format.ts';
import type { Part } from '../../parts.ts';
import { list } from './grammar.ts';

const one = (singular: string, from: string, to: string, many = `${singular}s`): string => (from === to ? `${singular} ${from}` : `${many} ${from} to ${to}`);

export const quantization = {
	finding: (letter: string, label: string, layer: number, head: number): string =>
		`Arm ${letter}, ${label}, layer ${layer}, KV head ${head}. Rows are channels, columns are slots in position order.`,
	summary: (which: 'K' | 'V', layer: number, head: number, encoded: number, slots: number, codec: string | undefined, error: number): string =>
		`${which} of layer ${layer}, KV head ${head}: ${encoded} of ${slots} slots are encoded${codec ? ` (${codec})` : ''}; relative squared error ${significant(error)}.`,
	largest: (channel: number, ratio: number): string => `The largest channel is ${channel}, ${significant(ratio, 2)} times the middle one.`,
	nothing: (letter: string): string => `Arm ${letter} encodes nothing.`,
	nothingLong: (letter: string, label: string): string =>
		`Arm ${letter}, ${label}, encodes nothing: every slot that it keeps holds its 16-bit numbers unchanged, so there is no rounding to see.`,
	othersDo: (letters: string[]): string => `Arm ${list(letters)} does.`,
	lookAt: (letter: string, label: string): string => `Look at arm ${letter}, ${label}`,
	which: { label: 'Keys or values', K: 'K', V: 'V' },
	rope: { label: 'Before or after the rotation', before: 'before RoPE', after: 'after RoPE' },
	scale: { label: 'Scale of the error', shared: 'error: own scale', free: 'same scale' },
	what: (which: 'K' | 'V'): string => `the ${which === 'K' ? 'keys' : 'values'} of this head`,
	/** A group's cells: channels and positions, as they are named. */
	place: (channels: { from: number; to: number }, positions: { from: string; to: string }): string =>
		`${one('channel', `${channels.from}`, `${channels.to}`)}, ${one('position', positions.from, positions.to)}`,
	loud: (channel: number, ratio: number): Part[] => [`Channel ${channel} reaches `, { strong: `${significant(ratio, 2)} times` }, ' as far as the middle channel.'],
	loudAlone: (channel: number): string => `With one ruler per channel only channel ${channel} pays for it.`,
	loudShared: 'Every group that holds it gets a coarser ruler.',
	group: (place: string): string => `The selected group: ${place}`,
	otherWay: (place: string): string => `The other way round: ${place}`,
	exact: (position: number): string => `Position ${position} is still exact: it waits in the window. Choose an encoded slot to see its group.`,
	projection: (codec: string | undefined): string => `${codec}: a projection has no groups and no levels. What is lost is what lies outside the kept directions.`,
	nothingYet: 'Nothing is encoded in this head yet.',
	errors: {
		slots: (n: number, which: 'K' | 'V'): string => `${n} encoded slots of ${which}`,
		error: 'relative squared error',
		asWritten: 'as the arm wrote it',
		turned: (perToken: boolean): string => `same bits and group size, ${perToken ? 'per token' : 'per channel'}`
	},
	cost: (nominal: number | null, bits: number, share: number): string =>
		`${nominal !== null ? `Nominal ${nominal} bits; the` : 'The'} whole cache of this arm costs ${bits.toFixed(2)} true bits a number, ${percent(share)} of the full cache: scales, zeros, positions and windows included.`,
	levels: {
		uneven: 'levels are not evenly spaced',
		equal: 'all numbers are equal: one level, no error',
		apart: (n: number, step: number): string => `${n} levels ${significant(step)} apart; the largest error is half of that, ${significant(step / 2)}`,
		error: (levels: string, error: number): string => `${levels}; relative squared error ${significant(error)}`,
		about: (title: string, numbers: number, levels: string, error: number): string => `${title}. ${numbers} numbers; ${levels}; relative squared error ${significant(error)}.`
	},
	planes: {
		original: (which: 'K' | 'V'): string => `${which}, exact`,
		rebuilt: (which: 'K' | 'V', bits: number | null): string => `${which}, ${bits === null ? 'rebuilt' : `${bits} bits, rebuilt`}`,
		error: 'error: rebuilt minus exact',
		cells: (title: string): string => `${title}: slots and channels`,
		rms: 'rms',
		largest: 'largest',
		reading: (label: string, channel: number, exact: number, rebuilt: number): string =>
			`position ${label}, channel ${channel}: exact ${significant(exact)}, rebuilt ${significant(rebuilt)}, error ${significant(rebuilt - exact)}`,
		shown: (from: number, to: number, of: number): string => `Slots ${from} to ${to} of ${of} are shown; arrow keys move on.`,
		oneScale: (which: 'K' | 'V'): string => `${which} and rebuilt, one scale`,
		errorScale: (shared: boolean): string => `error, ${shared ? 'the same scale' : 'its own scale'}`
	},
	table: {
		caption: (which: 'K' | 'V', place: string | null): string => `${which}, the selected group${place === null ? '' : `: ${place}`}`,
		columns: ['position', 'token', 'channel', 'exact', 'rebuilt', 'error']
	}
};
