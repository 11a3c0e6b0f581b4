/** All op suites on one backend. For tests. */
import { appendSlotsSuite } from './append-slots/suite.ts';
import { attentionSuite } from './attention/suite.ts';
import type { Preferred } from './backend.ts';
import { gatherSlotsSuite } from './gather-slots/suite.ts';
import { geluSuite } from './gelu/suite.ts';
import { headsSuite } from './heads/suite.ts';
import { layerNormSuite } from './layer-norm/suite.ts';
import { matMulSuite } from './mat-mul/suite.ts';
import { mergeSummarySuite } from './merge-summary/suite.ts';
import { rmsNormSuite } from './rms-norm/suite.ts';
import { swiGluSuite } from './swi-glu/suite.ts';
import { topKSuite } from './top-k/suite.ts';

export function opSuites(backend: Preferred): void {
	for (const suite of [
		rmsNormSuite, layerNormSuite, geluSuite, headsSuite, appendSlotsSuite, attentionSuite, mergeSummarySuite, matMulSuite, swiGluSuite, gatherSlotsSuite, topKSuite
	]) suite(backend);
}
