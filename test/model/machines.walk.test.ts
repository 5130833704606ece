import { machineModels } from './machines.ts';
import { defineMachineWalks } from './walk/index.ts';

for (const [name, model] of Object.entries(machineModels)) defineMachineWalks(name, model);
