import { parseExperiment } from '$lib/documents/schema.ts';
import type { Lesson } from '../lesson.ts';
import Evidence from './Evidence.svelte';
import Prompt from './Prompt.svelte';
import experiment from './experiment.json' with { type: 'json' };
import { needle, outcome } from './reading.ts';
import { ASKED, commit, explain, hands, NAMES, play, point, predict, reveal, RULES, verdict } from './text.ts';

const lesson: Lesson = {
	slug: 'what-to-keep',
	title: 'What to keep',
	question: 'Which policy still knows the code?',
	about: 'Three ways to throw three quarters of the memory away, at the same number of bytes. Which of them still answers a question about one sentence?',
	minutes: 10,
	experiment: parseExperiment(experiment, { unknown: 'error' }).experiment,
	recording: '/traces/what-to-keep.json',
	axis: {
		title: 'digits of the code that the model writes right',
		max: 4,
		words: (value) => `${value} of 4 digits`
	},
	choices: NAMES.map((name, i) => ({ name, rule: RULES[i] })),
	predict,
	commit,
	outcome,
	verdict,
	reveal,
	explain,
	hands,
	point,
	Prompt,
	Evidence,
	look(trace): Record<string, number> {
		if (!trace) return { arm: 0 };
		const [position] = needle(trace);
		// A head in which SnapKV still holds the code shows most.
		for (const [layer, heads] of trace.arms[ASKED].kept.entries()) {
			const head = heads.findIndex((kept) => kept.includes(position));
			if (head >= 0) return { position, layer, head, arm: 0, step: 0 };
		}
		return { position, arm: 0, step: 0 };
	},
	play
};

export default lesson;
