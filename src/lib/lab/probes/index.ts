/** What pictures ask for beyond the trace. Computed when asked, from what the run kept. */
import type { Probe, ProbeRequest } from '$lib/documents/trace.ts';
import { lostProbe, typesProbe } from './all-heads.ts';
import { attentionProbe, headsProbe } from './attention.ts';
import { matrixProbe } from './matrix.ts';
import { check, type ProbeSources } from './sources.ts';
import { spectrumProbe } from './spectrum.ts';
import { tokenProbe } from './token.ts';

export type { ProbeSources } from './sources.ts';

/** Throws RangeError for a head, layer, arm or step that does not exist. */
export function takeProbe(sources: ProbeSources, request: ProbeRequest): Probe {
	const { model } = sources;
	if (request.kind === 'types') return typesProbe(sources);
	check('arm', request.arm, sources.arms.length);
	if (request.kind === 'heads') return headsProbe(sources, request.arm, request.step);
	if (request.kind === 'lost') return lostProbe(sources, request.arm);
	if (request.kind === 'token') return tokenProbe(sources, request.arm, request.position);
	check('layer', request.layer, model.layers);
	if (request.kind === 'attention') {
		check('query head', request.queryHead, model.heads);
		return attentionProbe(sources, request.arm, request.layer, request.queryHead);
	}
	check('KV head', request.head, model.kvHeads);
	return request.kind === 'matrix' ? matrixProbe(sources, request) : spectrumProbe(sources, request.arm, request.layer, request.head);
}
