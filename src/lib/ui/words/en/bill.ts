import { bytes, count, percent, significant } from '../../format.ts';
import { stepName, when } from './terms.ts';

export const bill = {
	lines: { payloadK: 'K payload', payloadV: 'V payload', payload: 'K and V payload' },
	summary: (step: number, full: number, arms: { letter: string; total: number }[]): string =>
		`${step < 0 ? 'After the prompt' : `At step ${stepName(step)}`}: the full cache costs ${bytes(full)}. ` +
		arms.map((a) => `Arm ${a.letter} costs ${bytes(a.total)}, ${percent(a.total / full)} of it.`).join(' '),
	scale: { label: 'Right end of the scale', full: 'to full', arms: 'to the arms' },
	full: (n: number): string => `full ${bytes(n)}`,
	budget: (n: number): string => `budget ${bytes(n)}`,
	legend: 'Items of the bill',
	fastEnd: 'end of fast memory',
	heading: (letter: string, label: string, step: number): string => `Arm ${letter}, ${label}, itemised ${when(step)}`,
	/** A product of the receipt: slots, numbers a slot or null, bytes each. */
	product: (slots: number, numbers: number | null, each: number): string => `${count(slots)} × ${numbers === null ? '' : `${numbers} × `}${each} B`,
	inBytes: (n: number): string => `${count(n)} B`,
	total: 'total',
	less: (ratio: number): string => `${significant(ratio, 3)}× less`,
	numbersOf: (which: 'K' | 'V'): string => `numbers of ${which}`,
	withWindow: 'with window',
	fast: 'in fast memory',
	allOfIt: 'all of it',
	trueBits: 'true bits a number',
	of16: 'of 16',
	products: 'Products: stored slots × numbers × bytes a number, written only where they give the bytes exactly.',
	table: {
		caption: (step: number): string => `Bytes of every arm ${when(step)}`,
		arm: 'arm', total: 'total', fast: 'in fast memory', ofFull: 'of full'
	}
};
