import { expect, it } from 'vitest';
import { engineInAddress } from './choice.ts';

it('takes a backend and a profile that exist from the address, and nothing else', () => {
	expect(engineInAddress('?backend=webgpu')).toEqual({ backend: 'webgpu' });
	expect(engineInAddress('?theme=dark&backend=cpu')).toEqual({ backend: 'cpu' });
	expect(engineInAddress('?backend=quantum')).toEqual({});
	expect(engineInAddress('?profile=software&backend=webgpu')).toEqual({ backend: 'webgpu', profile: 'software' });
	expect(engineInAddress('?profile=gpu')).toEqual({ profile: 'gpu' });
	expect(engineInAddress('?profile=fast')).toEqual({});
	expect(engineInAddress('')).toEqual({});
});
