import { describe, expect, it } from 'vitest';
import { exampleTrace } from './example.ts';
import * as read from './read.ts';
import { CELL_STATES, PROMPT_STEP } from './trace.ts';

const trace = exampleTrace();
const arm = trace.arms[0];
const names = (cells: Uint8Array) => [...cells].map((cell) => CELL_STATES[cell]);

describe('readings of a trace', () => {
	it('replay the cells forwards, and from a step already known', () => {
		expect(names(read.cellsAt(arm, PROMPT_STEP)).slice(0, 4)).toEqual(['kept', 'evicted', 'b2', 'absent']);
		expect(read.cellsAt(arm, 0)).toEqual(arm.cells);
		expect(names(read.cellsAt(arm, 1)).slice(0, 5)).toEqual(['kept', 'evicted', 'b2', 'kept', 'absent']);
		const two = read.cellsAt(arm, 2);
		expect(names(two).slice(0, 5)).toEqual(['evicted', 'evicted', 'b2', 'kept', 'kept']);
		expect(read.cellsAt(arm, 2, read.cellsAt(arm, 1), 1)).toEqual(two);
		expect(names(arm.cells)[0]).toBe('kept');
	});

	it('count what is stored', () => {
		expect([...read.shareStored(trace.model, arm, arm.cells)]).toEqual([0.5, 0.5, 1, 0, 0, 0]);
		expect(read.slotsOfHead(trace.model, arm, read.cellsAt(arm, 2), 0, 1)).toBe(4);
		const counts = read.statesOfPosition(trace.model, arm, arm.cells, 0);
		expect([counts[CELL_STATES.indexOf('kept')], counts[CELL_STATES.indexOf('evicted')]]).toEqual([1, 1]);
		expect(read.isStored(CELL_STATES.indexOf('hidden'))).toBe(true);
		expect(read.isReadable(CELL_STATES.indexOf('hidden'))).toBe(false);
		expect(read.cellIndex(trace.model, arm.span, 0, 1, 2)).toBe(8);
	});

	it('compare an arm with the full cache', () => {
		expect(read.firstDivergence(trace, arm)).toBe(1);
		expect(read.firstDisagreement(arm)).toBe(1);
		expect(read.meanKl(arm)).toBeCloseTo(0.14, 12);
		expect(read.agreement(arm)).toEqual({ agreed: 2, of: 3 });
		expect(read.meanNll(arm)).toBe(0.5);
		const equal = { ...arm, steps: trace.reference.steps as typeof arm.steps };
		expect(read.firstDivergence(trace, equal)).toBeNull();
		expect(read.firstDivergence(trace, { ...equal, steps: equal.steps.slice(0, 2) })).toBe(2);
		expect(read.meanKl({ ...arm, steps: [] })).toBeNaN();
	});

	it('give texts and positions', () => {
		expect(read.textOf(arm, 1)).toBe(' a d,\n');
		expect(read.textsOfRow(trace, arm, 2)).toEqual(['x', ' y', ' z', ' a', ' d,\n']);
		expect([PROMPT_STEP, 0, 1, 2].map((s) => read.positionsAt(trace, s))).toEqual([3, 3, 4, 5]);
		expect(read.stepsDone(trace)).toBe(3);
	});

	it('find verbs and decisions', () => {
		expect(read.verbsOn(arm, 2)).toHaveLength(1);
		expect(read.verbsOn(arm, 1)).toHaveLength(0);
		expect(read.decisionOn(arm, 0, 0, 1)?.by).toBe('snapkv');
		expect(read.decisionOn(arm, 0, 1, 1)).toBeNull();
		expect(read.decisionOn(arm, 0, 0, 1, -2)).toBeNull();
	});
});
