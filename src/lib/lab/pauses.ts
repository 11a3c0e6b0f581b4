/**
 * Breaks between the layers of a long pass. The decoder hands every layer to a memory and waits for
 * it; that is where a pass can be held up, and ended, without the decoder knowing.
 */
import type { Decoder } from '$lib/model/index.ts';

/** Waited for before each layer; ends the pass by throwing. */
export type Pause = (layer: number) => Promise<void>;

/** `decoder`, but with the pause that `current` gives, if any. */
export function pausing(decoder: Decoder, current: () => Pause | null): Decoder {
	return overriding(decoder, {
		forward(ids, pass, memory, options) {
			const pause = current();
			if (!pause) return decoder.forward(ids, pass, memory, options);
			return decoder.forward(ids, pass, overriding(memory, {
				async attend(input) {
					await pause(input.layer);
					return memory.attend(input);
				}
			}), options);
		}
	});
}

/** An object like `target` with other methods in some places; all else goes to `target` itself. */
function overriding<T extends object>(target: T, methods: Partial<T>): T {
	return new Proxy(target, {
		get(_, name) {
			if (Object.hasOwn(methods, name)) return methods[name as keyof T];
			const value: unknown = Reflect.get(target, name, target);
			return typeof value === 'function' ? value.bind(target) : value;
		}
	});
}
