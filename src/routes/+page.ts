/**
 * The recorded run that stands on the page before any model is loaded. It is fetched while the page
 * is prerendered, so it is part of the HTML.
 */
import { asset } from '$app/paths';
import { readRecording } from '$lib/documents/recording.ts';
import { probeKey, type ProbeOf, type ProbeRequest, type Recording, type TraceSource } from '$lib/documents/trace.ts';
import type { PageLoad } from './$types.js';

/** A recording as a source: it has the probes that were recorded and no others. */
function source(recording: Recording): TraceSource {
	return {
		trace: recording.trace,
		probe: <R extends ProbeRequest>(request: R) => Promise.resolve((recording.probes[probeKey(request)] ?? null) as ProbeOf<R> | null)
	};
}

export const load: PageLoad = async ({ fetch }) => {
	const response = await fetch(asset('/traces/lab.json'));
	if (!response.ok) {
		// While drawing pictures without a recording; never in a built site.
		if (import.meta.env.DEV) return { recording: (await import('$lib/views/testing/synthetic.ts')).syntheticSource() };
		return { recording: null };
	}
	return { recording: source(readRecording(await response.text())) };
};
