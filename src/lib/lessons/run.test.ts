import { describe, expect, it, vi } from 'vitest';
import { writeRecording } from '$lib/documents/recording.ts';
import { syntheticSource } from '$lib/views/testing/synthetic.ts';
import type { LabClient } from '$lib/worker/client.ts';
import type { Lesson } from './lesson.ts';
import { LessonRun } from './run.svelte.ts';

const made = syntheticSource({ prompt: 40, steps: 4 });
const lesson = { experiment: made.trace.experiment, recording: '/traces/x.json' } as unknown as Lesson;
const recording = writeRecording({ trace: made.trace, probes: {} });
const read = vi.fn(() => Promise.resolve(recording));

/** A client that answers like the real one; `fail` breaks one of its calls. */
function client(fail?: 'load' | 'start' | 'advance', steps = 4): LabClient & { dispose: ReturnType<typeof vi.fn> } {
	let left = steps;
	const call = <T>(name: string, value: T) => (name === fail ? Promise.reject(new Error(`no ${name}`)) : Promise.resolve(value));
	return {
		trace: { ...made.trace, provenance: 'measured' },
		load: () => call('load', {}),
		start: () => call('start', made.trace),
		advance: () => call('advance', --left <= 0),
		probe: made.probe,
		dispose: vi.fn()
	} as unknown as LabClient & { dispose: ReturnType<typeof vi.fn> };
}

describe('the run behind a lesson', () => {
	it('fetches and computes nothing before it is asked', () => {
		read.mockClear();
		const run = new LessonRun(lesson, { site: () => '/', read, connect: () => Promise.reject(new Error('asked')) });
		expect([run.status, run.source]).toEqual(['idle', null]);
		expect(read).not.toHaveBeenCalled();
	});
	it('shows the live run when the model runs here, and never the recording', async () => {
		read.mockClear();
		const run = new LessonRun(lesson, { site: () => '/', read, connect: () => Promise.resolve(client()) });
		await run.live();
		expect([run.status, run.notice]).toEqual(['done', '']);
		expect(run.source?.trace.provenance).toBe('measured');
		expect(read).not.toHaveBeenCalled();
	});
	it.each(['load', 'start', 'advance'] as const)('falls back to the recording when %s fails, and says why', async (fail) => {
		const broken = client(fail);
		const run = new LessonRun(lesson, { site: () => '/', read, connect: () => Promise.resolve(broken) });
		await run.live();
		expect(run.status).toBe('done');
		expect(run.notice).toBe(`The model could not run here, so the recorded run is shown. no ${fail}`);
		expect(run.source?.trace.provenance).toBe('recorded');
		expect(broken.dispose).toHaveBeenCalled();
	});
	it('tells the next action when there is no recording either', async () => {
		const run = new LessonRun(lesson, { site: () => '/', read: () => Promise.reject(new Error('404')), connect: () => Promise.reject(new Error('no thread')) });
		await run.live();
		expect(run.status).toBe('failed');
		expect(run.notice).toMatch(/no thread.*404.*try again/);
		expect(run.source).toBeNull();
	});
	it('lets the reader take the recording instead of waiting; the live run does not come back', async () => {
		let go: () => void = () => {};
		const slow = client();
		slow.start = () => new Promise((resolve) => (go = () => resolve(made.trace)));
		const run = new LessonRun(lesson, { site: () => '/', read, connect: () => Promise.resolve(slow) });
		const live = run.live();
		await vi.waitFor(() => expect(run.doing).toMatch(/reading the prompt/));
		await run.recorded('You chose the recorded run.');
		go();
		await live;
		expect([run.status, run.notice, run.source?.trace.provenance]).toEqual(['done', 'You chose the recorded run.', 'recorded']);
		expect(slow.dispose).toHaveBeenCalled();
	});
});
