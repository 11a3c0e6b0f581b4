/** What the layers of one arm share: who acts now, and what was done. */
import type { VerbRecord } from '$lib/documents/trace.ts';
import type { Reasons } from './types.ts';

export class Recorder {
	step = 0;
	by = 'hand';
	records: VerbRecord[] = [];
	/** True once the arm has encoded something, or said that it will. */
	encodes = false;
	/** Tokens read so far, prompt included. */
	tokens = 0;

	write(record: Omit<VerbRecord, 'by' | 'step'>, reasons?: Reasons): void {
		const full: VerbRecord = { ...record, by: reasons?.by ?? this.by, step: this.step };
		if (reasons?.decision) full.decision = reasons.decision;
		this.records.push(full);
	}

	fork(): Recorder {
		const copy = new Recorder();
		copy.encodes = this.encodes;
		copy.tokens = this.tokens;
		return copy;
	}
}
