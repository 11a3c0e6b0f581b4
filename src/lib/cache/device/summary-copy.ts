/** The summaries of one layer's heads on the device, for all rows. */
import { persistent, persistentFrom, write, type SummaryTensors } from '$lib/ops/index.ts';
import type { HeadStore } from '../head-store.ts';

/** Bias of a place that nobody may read, and log of the count of no summary. */
export const HIDDEN = Math.fround(-1e30);

export class SummaryCopy {
	/** Present once some row has a summary. */
	tensors: SummaryTensors | null = null;
	private readonly versions: number[];

	constructor(private readonly heads: HeadStore[], private readonly rows: number, private readonly headDim: number) {
		this.versions = heads.map(() => 0);
	}

	follow(index: number): void {
		const { summary, summaryVersion } = this.heads[index];
		if (summaryVersion === this.versions[index]) return;
		this.versions[index] = summaryVersion;
		const d = this.headDim;
		this.tensors ??= this.empty();
		write(this.tensors.logCount, index, Float32Array.of(summary?.logCount ?? HIDDEN));
		if (!summary) return;
		write(this.tensors.meanKey, index * d, summary.meanKey);
		write(this.tensors.meanValue, index * d, summary.meanValue);
		write(this.tensors.matrix, index * d * d, summary.matrix);
	}

	dispose(): void {
		for (const tensor of Object.values(this.tensors ?? {})) tensor.dispose();
	}

	private empty(): SummaryTensors {
		const shape = [this.rows, this.heads.length / this.rows];
		return {
			logCount: persistentFrom(new Float32Array(this.heads.length).fill(HIDDEN), shape),
			meanKey: persistent([...shape, this.headDim]),
			meanValue: persistent([...shape, this.headDim]),
			matrix: persistent([...shape, this.headDim, this.headDim])
		};
	}
}
