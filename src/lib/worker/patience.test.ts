import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Patience } from './patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends after silence, and begins anew with every sign of life', () => {
	const end = vi.fn();
	const patience = new Patience(1000, end);
	vi.advanceTimersByTime(900);
	patience.alive();
	vi.advanceTimersByTime(900);
	expect(end).not.toHaveBeenCalled();
	vi.advanceTimersByTime(100);
	expect(end).toHaveBeenCalledTimes(1);
	vi.advanceTimersByTime(5000);
	expect(end).toHaveBeenCalledTimes(1);
});

it('does not count the time in which this page stood still', () => {
	const end = vi.fn();
	const late: (() => void)[] = [];
	vi.stubGlobal('setTimeout', (tick: () => void) => late.push(tick));
	new Patience(1000, end);
	// Frozen for an hour: the one tick that was due comes late, and is one tick.
	late.shift()!();
	expect(end).not.toHaveBeenCalled();
	vi.unstubAllGlobals();
});

it('says nothing once stopped', () => {
	const end = vi.fn();
	new Patience(1000, end).stop();
	vi.advanceTimersByTime(5000);
	expect(end).not.toHaveBeenCalled();
});
