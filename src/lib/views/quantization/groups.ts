/** The groups that share a ruler: which holds a cell, which hurts most, and how one would lie turned. Pure. */
import type { GroupBox, MatrixProbe } from '$lib/documents/trace.ts';

/** The group that holds a cell, or null for a cell that is still exact. */
export function groupAt(probe: MatrixProbe, slot: number, channel: number): GroupBox | null {
	return probe.groups.find((g) => slot >= g.tokenFrom && slot < g.tokenTo && channel >= g.channelFrom && channel < g.channelTo) ?? null;
}

/** The group that hurts most: largest squared error; null when there are no groups. */
export function worstGroup(probe: MatrixProbe): GroupBox | null {
	let worst: GroupBox | null = null;
	let most = -1;
	for (const group of probe.groups) {
		let sum = 0;
		eachCell(probe, group, (i) => (sum += (probe.rebuilt[i] - probe.original[i]) ** 2));
		if (sum > most) [worst, most] = [group, sum];
	}
	return worst;
}

/** Visits the cells of a box as indices into the matrix. */
export function eachCell(probe: MatrixProbe, box: Pick<GroupBox, 'tokenFrom' | 'tokenTo' | 'channelFrom' | 'channelTo'>, visit: (index: number) => void): void {
	for (let r = box.tokenFrom; r < box.tokenTo; r++) for (let c = box.channelFrom; c < box.channelTo; c++) visit(r * probe.channels + c);
}

/** The same bits along the other direction: one position's channels, or one channel's positions. */
export function crossGroup(probe: MatrixProbe, group: GroupBox, slot: number, channel: number): GroupBox {
	const acrossChannels = group.tokenTo - group.tokenFrom > group.channelTo - group.channelFrom;
	const size = (group.tokenTo - group.tokenFrom) * (group.channelTo - group.channelFrom);
	if (acrossChannels) {
		const width = Math.min(size, probe.channels);
		const from = Math.floor(channel / width) * width;
		return { tokenFrom: slot, tokenTo: slot + 1, channelFrom: from, channelTo: Math.min(probe.channels, from + width), bits: group.bits };
	}
	const from = Math.floor(slot / size) * size;
	return { tokenFrom: from, tokenTo: Math.min(probe.positions.length, from + size), channelFrom: channel, channelTo: channel + 1, bits: group.bits };
}
