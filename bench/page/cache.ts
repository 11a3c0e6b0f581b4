import { fixtureNormal } from '$lib/numerics/fixture.ts';
import type { CacheNumbers } from './contestant.ts';

export const cacheNumbers: CacheNumbers = (which, layer, count) => fixtureNormal(`bench/${which}/${layer}`, count);
