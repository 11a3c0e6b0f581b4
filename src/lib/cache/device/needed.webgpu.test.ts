import { neededSuite } from './needed-suite.ts';

neededSuite('webgpu');
