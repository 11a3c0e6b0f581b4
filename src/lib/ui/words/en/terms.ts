/** Names of things: states of a slot, items of the bill, figures, axes. */
import type { BillItem, CellState } from '$lib/documents/trace.ts';

export const states: Record<CellState, string> = {
	absent: 'not yet written', kept: 'kept, 16 bits', sink: 'sink, protected', window: 'recent window',
	evicted: 'evicted', merged: 'merged into', b8: '8 bits', b4: '4 bits', b3: '3 bits', b2: '2 bits',
	lowrank: 'low rank', fetched: 'fetched', hidden: 'hidden', restored: 'restored', pinned: 'pinned by hand',
	corrupted: 'corrupted'
};

export const billItems: Record<BillItem, string> = {
	payload: 'payload', scales: 'scales', zeros: 'zeros', codebooks: 'codebooks', indices: 'indices',
	positions: 'positions', window: 'exact window', state: 'summary state'
};

export const provenance: Record<'measured' | 'recorded' | 'estimated', string> = {
	measured: 'measured here', recorded: 'recorded', estimated: 'estimated'
};

/** What computes. */
export const backends = { webgpu: 'WebGPU', wasm: 'WebAssembly', cpu: 'JavaScript' };

export const figures = {
	changed: 'What changed', ribbon: 'The text in memory', map: 'Cache map', attention: 'Attention',
	decision: 'Why was it dropped?', quantization: 'Rounding, seen', spectrum: 'How many directions matter',
	bill: 'Bill of bytes', lost: 'Attention on what is gone', headTypes: 'Where each head looks', next: 'The next word', loupe: 'Loupe'
};

export const terms = {
	fullCache: 'Full cache', full: 'Full', arms: 'Arms', position: 'position', channel: 'channel', layer: 'layer',
	kvHead: 'KV head', step: 'step', token: 'token', rank: 'rank', score: 'score', probability: 'probability', bytes: 'Bytes',
	trueBits: 'True bits a number', meanKl: 'Mean KL', sameWord: 'Same next word', answer: 'Answer', nats: 'nats',
	noneYet: 'none yet', right: 'right', wrong: 'wrong', nothing: 'nothing', yes: 'yes', no: 'no'
};

/** Steps are counted from 1 for the reader: the first generated token is word 1. */
export function stepName(step: number | null): string {
	return step === null ? 'newest' : step < 0 ? 'prompt' : `${step + 1}`;
}

/** "after the prompt", "at step 3". */
export const when = (step: number): string => (step < 0 ? 'after the prompt' : `at step ${stepName(step)}`);

export const armName = (letter: string): string => `Arm ${letter}`;
