import { PROFILES } from '../profile.ts';
import { attentionPackedSuite } from './suite.ts';

for (const profile of PROFILES) attentionPackedSuite('webgpu', profile);
