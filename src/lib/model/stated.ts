/** Values of config.json, checked one by one. */
import { ModelError } from './error.ts';

export type Stated = Record<string, unknown>;

/** A value as a message shows it. Objects of JSON may have a `toString` of their own, and any length. */
export const word = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')).slice(0, 80);

/** Throws ModelError: the model is of a kind that is not run here, and why. */
export function refuse(reason: string): never {
	throw new ModelError(`This model cannot be run here: ${reason}`);
}

export function positive(value: unknown, name: string): number {
	if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
		throw new ModelError(`config.json: ${name} must be a positive number, not ${word(value)}.`);
	}
	return value;
}

/** `fallback` where the file has nothing or null. */
export function wholeNumber(stated: Stated, name: string, fallback?: number): number {
	const value = stated[name] ?? fallback;
	if (!Number.isSafeInteger(value) || (value as number) < 1) {
		throw new ModelError(`config.json: ${name} must be a whole number above zero, not ${word(value)}.`);
	}
	return value as number;
}
