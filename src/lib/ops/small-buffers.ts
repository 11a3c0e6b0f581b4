/**
 * Small buffers by what is in them. For other numbers one is written anew, so that there are few of them and the bind
 * groups that hold them are found again; but never while a recorded command waits for what it holds now. They are written
 * through the queue, which is before all that is recorded: mapping one would take a copy.
 */
interface Entry {
	key: string;
	buffer: GPUBuffer;
	/** The encoder of the last command that reads it. An encoder gives way to another only when it was submitted. */
	encoder: GPUCommandEncoder;
	used: number;
}

/** Buffers from which on they are written anew: a step has a few contents that stay and a few that change. */
const MANY = 8;
/** Bytes that a buffer has room for at least, so that most fit for most. */
const LEAST = 256;

export class SmallBuffers {
	private readonly entries = new Map<string, Entry>();
	private clock = 0;

	constructor(private readonly usage: number) {}

	/** The buffer that holds `numbers()`, of `bytes` bytes, named by `key`; for a command that is recorded in `encoder`. */
	take(device: GPUDevice, key: string, encoder: GPUCommandEncoder, bytes: number, numbers: () => ArrayBuffer | Int32Array): GPUBuffer {
		let entry = this.entries.get(key);
		if (!entry) {
			entry = this.idle(encoder, bytes) ?? { key, buffer: this.make(device, bytes), encoder, used: 0 };
			entry.key = key;
			this.entries.set(key, entry);
			device.queue.writeBuffer(entry.buffer, 0, numbers() as ArrayBuffer);
		}
		entry.encoder = encoder;
		entry.used = ++this.clock;
		return entry.buffer;
	}

	private make(device: GPUDevice, bytes: number): GPUBuffer {
		return device.createBuffer({ size: LEAST * Math.max(1, Math.ceil(bytes / LEAST)), usage: this.usage | GPUBufferUsage.COPY_DST });
	}

	/**
	 * The one that was asked for last and may be written, taken out; null where there are few, or none has the room. The last:
	 * what changes from step to step stays in the same buffer then, however many there are.
	 */
	private idle(encoder: GPUCommandEncoder, bytes: number): Entry | null {
		if (this.entries.size < MANY) return null;
		let latest: Entry | null = null;
		for (const entry of this.entries.values()) {
			if (entry.encoder !== encoder && entry.buffer.size >= bytes && (!latest || entry.used > latest.used)) latest = entry;
		}
		if (latest) this.entries.delete(latest.key);
		return latest;
	}
}
