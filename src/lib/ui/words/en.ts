/** Every word of the interface that is not content. Plain verbs, present tense, short sentences. */
import type { BillItem, CellState } from '$lib/documents/trace.ts';
import { list, plural } from '../format.ts';

const states: Record<CellState, string> = {
	absent: 'not yet written', kept: 'kept, 16 bits', sink: 'sink, protected', window: 'recent window',
	evicted: 'evicted', merged: 'merged into', b8: '8 bits', b4: '4 bits', b3: '3 bits', b2: '2 bits',
	lowrank: 'low rank', fetched: 'fetched', hidden: 'hidden', restored: 'restored', pinned: 'pinned by hand',
	corrupted: 'corrupted'
};

const billItems: Record<BillItem, string> = {
	payload: 'payload', scales: 'scales', zeros: 'zeros', codebooks: 'codebooks', indices: 'indices',
	positions: 'positions', window: 'exact window', state: 'summary state'
};

export const en = {
	name: 'Winnow',
	tagline: 'What a language model keeps, and what it loses, when its memory is made smaller',
	states,
	billItems,
	nav: { lab: 'Lab', lessons: 'Lessons', skip: 'Skip to the pictures', label: 'Pages' },
	actions: {
		undo: 'Undo', redo: 'Redo', share: 'Share link', present: 'Present', exit: 'Exit', keys: 'Keys',
		run: 'Run', pause: 'Pause', step: 'Step', back: 'Back', reset: 'Reset', cancel: 'Cancel', close: 'Close',
		maximize: 'Maximize', restoreSize: 'Back to the page', more: 'Figure menu', csv: 'Numbers as CSV',
		json: 'Numbers as JSON', png: 'Picture as PNG', table: 'Table behind the picture'
	},
	theme: { system: 'System colours', light: 'Light', dark: 'Dark', label: (now: string) => `Theme: ${now}. Press for the next` },
	provenance: {
		measured: 'measured here', recorded: 'recorded', estimated: 'estimated', title: 'Provenance'
	},
	figures: {
		changed: 'What changed', ribbon: 'The text in memory', map: 'Cache map', attention: 'Attention',
		decision: 'Why was it dropped?', quantization: 'Rounding, seen', spectrum: 'How many directions matter',
		bill: 'Bill of bytes', next: 'The next word', loupe: 'Loupe'
	},
	terms: {
		fullCache: 'Full cache', full: 'Full', arm: 'arm', arms: 'Arms', position: 'position', layer: 'layer',
		kvHead: 'KV head', queryHead: 'query head', step: 'step', token: 'token', bytes: 'Bytes',
		trueBits: 'True bits a number', meanKl: 'Mean KL', sameWord: 'Same next word', answer: 'Answer'
	},
	count: { heads: (n: number) => plural(n, 'head'), steps: (n: number) => plural(n, 'step') },
	list
};

export type Words = typeof en;
/** The language in use. One file a language; only English so far. */
export const words: Words = en;
