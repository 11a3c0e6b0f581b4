/**
 * The recorded run that stands on the page before any model is loaded. It is fetched while the page
 * is prerendered, so it is part of the HTML.
 */
import { asset } from '$app/paths';
import { readRecording, recordedSource } from '$lib/documents/recording.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ fetch }) => {
	const response = await fetch(asset('/traces/lab.json'));
	if (!response.ok) {
		// While drawing pictures without a recording; never in a built site.
		if (import.meta.env.DEV) return { recording: (await import('$lib/views/testing/synthetic.ts')).syntheticSource() };
		return { recording: null };
	}
	return { recording: recordedSource(readRecording(await response.text())) };
};
