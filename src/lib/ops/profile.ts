/**
 * Which form of a kernel runs. One source serves both: `gpu` reads coalesced, shares numbers in
 * workgroup memory and adds up across lanes; `software` gives a thread whole sums and has no
 * barriers, which an adapter that runs on the CPU would pay for.
 */
export type Profile = 'gpu' | 'software';

export const PROFILES = ['gpu', 'software'] as const;

let found: Profile = 'gpu';
let chosen: Profile | null = null;

/** The profile of kernels from now on. */
export function profile(): Profile {
	return chosen ?? found;
}

/** Overrides what the adapter suggests; null goes back to it. */
export function setProfile(wanted: Profile | null): void {
	chosen = wanted;
}

/** What the opened adapter suggests. */
export function suggestProfile(software: boolean): void {
	found = software ? 'software' : 'gpu';
}
