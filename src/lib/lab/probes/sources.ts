import type { ArmCache } from '$lib/cache/arm-cache.ts';
import type { ModelShape, SpectrumProbe } from '$lib/documents/trace.ts';
import type { Rotation } from '$lib/numerics/rope.ts';
import type { AttentionLog } from '../attention-log.ts';
import type { ExactNumbers } from '../exact.ts';

/** What a probe may look at. */
export interface ProbeSources {
	model: ModelShape;
	rope: Rotation;
	/** The prompt's full cache. */
	prompt: ArmCache;
	/** The reference run's: the full cache fed its own tokens. */
	reference: ArmCache;
	arms: ArmCache[];
	/** By arm: the full cache fed the arm's tokens. */
	shadows: ArmCache[];
	exact: ExactNumbers[];
	log: AttentionLog;
	/** Kept between probes. `normals`: by arm and step, log-sum-exp of the full cache's logits, [layers, heads]. */
	normals?: Float64Array[][];
	tables?: Pick<SpectrumProbe, 'rank95KeyBefore' | 'rank95KeyAfter' | 'rank95Value'>;
}

/** Throws RangeError for what does not exist. */
export function check(what: string, index: number, count: number): void {
	if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`there is no ${what} ${index}; there are ${count}, from 0`);
}
