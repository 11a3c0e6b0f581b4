/** Runs while the site is built: which methods have a page, and how many words a task's answer may take. The table itself is fetched by the page. */
import { SWEEP_TASKS } from '$lib/lab/sweep/run.ts';
import { methods } from '$lib/methods/registry.ts';
import type { PageServerLoad } from './$types.js';

export const load: PageServerLoad = () => ({
	known: [...methods.keys()],
	steps: Object.fromEntries(Object.entries(SWEEP_TASKS).map(([task, { steps }]) => [task, steps]))
});
