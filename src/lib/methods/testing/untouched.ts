/** Readings that tests of several methods make of a cache. */
import { expect } from 'vitest';
import type { ArmCache } from '$lib/cache/arm-cache.ts';
import { BILL_ITEMS, type BillItem } from '$lib/documents/trace.ts';

/** Everything that attention reads, of every layer and head. */
export function presented(arm: ArmCache): unknown {
	return arm.layers.map((layer) =>
		Array.from({ length: layer.kvHeads }, (_, head) => ({
			positions: layer.positions(head), angles: layer.rotaryPositions(head), keys: layer.keys(head), values: layer.values(head),
			bias: layer.bias(head), hidden: layer.hidden(head), summary: layer.summary(head)
		}))
	);
}

/** The bill says what the packed arrays weigh, line by line. */
export function expectBillIsPacked(arm: ArmCache): void {
	const bill = arm.bill();
	const packed = Object.fromEntries(BILL_ITEMS.map((item) => [item, 0])) as Record<BillItem, number>;
	for (const { item, array } of arm.pack()) packed[item] += array.byteLength;
	expect(bill.items).toEqual(packed);
	expect(bill.total).toBe(BILL_ITEMS.reduce((sum, item) => sum + packed[item], 0));
}
