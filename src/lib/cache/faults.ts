/** Bits of stored numbers flipped, and what is read from them afterwards. */
import type { FlippedBit } from '$lib/documents/trace.ts';
import type { Block } from './block.ts';
import { WORDS } from './codecs/words.ts';
import type { HeadStore } from './head-store.ts';
import { ownerOf, sharersOf } from './sharing.ts';
import type { Fault, PackedArray, Payload, Which, Word } from './types.ts';

export interface Flip {
	record: FlippedBit;
	/** Flips the bit where it is stored: in the owner's array, so that all who share it read the same. */
	apply(): void;
}

/** One flip as things are now. Throws RangeError for a bit that does not exist. */
export function planFlip(head: HeadStore, which: Which, fault: Fault, word: Word): Flip {
	const owner = ownerOf(head, which, fault.slot);
	const record = { position: head.slots.columns.position[fault.slot], bit: fault.bit };
	const block = head.blockOf(fault.slot, which);
	return block ? inBlock(block) : inWord();

	function inWord(): Flip {
		if (!('channel' in fault)) throw new RangeError(`${which} of slot ${fault.slot} is exact: a fault names the channel, not a part of a block`);
		const { bits, toWord, toNumber } = WORDS[word];
		checkChannel(fault.channel, head.headDim);
		checkBit(fault.bit, bits, `a number stored as ${WORDS[word].title}`);
		const from = owner.head.stored(owner.slot, which)[fault.channel];
		// `>>> 0`: bit 31 makes a 32-bit integer negative.
		const to = toNumber((toWord(from) ^ (1 << fault.bit)) >>> 0);
		return {
			record: { ...record, channel: fault.channel, from, to },
			apply: () => [owner, ...sharersOf(owner.head, which, owner.slot)].forEach((each) => each.head.overwrite(each.slot, which, fault.channel, to))
		};
	}

	function inBlock({ payload, codec }: Block): Flip {
		const row = head.slots.columns[which === 'K' ? 'inK' : 'inV'][fault.slot];
		const { part, bit } = 'channel' in fault ? bitOfCode({ payload, codec }, row, fault.channel, fault.bit) : fault;
		const stored = payload.parts[part];
		if (!stored) throw new RangeError(`a block of ${codec.title} has ${payload.parts.length} parts; there is no part ${part}`);
		if (stored.item === 'codebooks') throw new RangeError('a codebook belongs to many blocks, so it cannot be changed for the slots of one');
		checkBit(bit, 8 * stored.array.byteLength, `part ${part} of the block`);
		const changed = withFlipped(payload, part, bit);
		const element = Math.floor(bit / (8 * stored.array.BYTES_PER_ELEMENT));
		const [from, to] = [payload, changed].map((each) => ('channel' in fault
			? codec.decode(each)[row * head.headDim + fault.channel] : each.parts[part].array[element]));
		return {
			record: { ...record, ...('channel' in fault ? { channel: fault.channel } : { part }), from, to },
			apply: () => [owner.head, ...owner.head.sharers].forEach((each) => each.replacePayload(payload, changed))
		};
	}
}

/** Where the bit of one number's code lies. */
function bitOfCode({ payload, codec }: Pick<Block, 'payload' | 'codec'>, row: number, channel: number, bit: number): { part: number; bit: number } {
	checkChannel(channel, payload.columns);
	const place = codec.bitsOf?.(payload, row, channel);
	if (!place) throw new RangeError(`in ${codec.title} no bit belongs to one channel alone: a fault names the part of the block and the bit`);
	checkBit(bit, place.count, 'a code of this block');
	return { part: place.part, bit: place.from + bit };
}

function checkChannel(channel: number, channels: number): void {
	if (!Number.isInteger(channel) || channel < 0 || channel >= channels) throw new RangeError(`a key or value has ${channels} channels; there is no channel ${channel}`);
}

function checkBit(bit: number, bits: number, of: string): void {
	if (!Number.isInteger(bit) || bit < 0 || bit >= bits) throw new RangeError(`${of} has ${bits} bits; there is no bit ${bit}`);
}

/** Bit 0 is the lowest bit of the first element. Other parts stay the same arrays. */
function withFlipped(payload: Payload, part: number, bit: number): Payload {
	const parts = payload.parts.map((each, i) => {
		if (i !== part) return each;
		const array = each.array.slice() as PackedArray;
		const bytes = new Uint8Array(array.buffer);
		bytes[bit >> 3] ^= 1 << (bit & 7);
		return { ...each, array };
	});
	return { ...payload, parts };
}
