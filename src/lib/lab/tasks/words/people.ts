import { list } from './list.ts';

export const GIRLS = list(`
Alice Amber Anna Bella Beth Carla Clara Cora Daisy Diana Dora Edith Elena Ella Emma Erin Esther Eva Fiona Flora
Frida Gina Grace Greta Hanna Hazel Heidi Helen Holly Ida Ingrid Irene Iris Ivy Jane Jasmine Jenny Joan Julia June
Karen Kate Kira Laura Lena Lily Linda Lucy Lydia Mabel Maria Martha Mary Maya Mila Mina Molly Nadia Nancy Nina
Nora Olga Olivia Paula Pearl Petra Polly Rita Rosa Rose Ruth Sally Sara Selma Sofia Stella Susan Tanya Tess Tina
Vera Viola Wanda Wendy Yara Zara Zoe
`);

export const BOYS = list(`
Aaron Adam Alan Albert Alex Amir Anton Arthur Basil Ben Bernard Boris Bruno Carl Chris Colin Daniel David Dennis Dylan
Edgar Edwin Elias Emil Eric Ethan Felix Finn Frank Fred Gabriel George Gilbert Gus Harry Hector Henry Hugo Ivan Jack
Jacob James Jason Joel Jonas Karl Kevin Lars Leo Leon Liam Louis Luke Marco Mark Martin Max Milo Nathan Ned
Neil Nils Noah Omar Oscar Otto Owen Pablo Paul Peter Philip Ralph Ravi Robin Roger Rufus Sam Samuel Simon Stefan
Theo Thomas Tim Tobias Tom Victor Vincent Walter Will Yusuf
`);

export const JOBS = list(`
actor artist baker barber blacksmith butcher captain carpenter cashier cleaner clown cook cobbler dancer dentist
detective diver doctor driver engineer farmer firefighter fisher florist forester gardener guard guide hunter
inventor janitor jeweller judge juggler knight lawyer librarian locksmith magician mechanic merchant midwife miller
miner nurse painter pilot plumber poet porter potter professor queen ranger reporter sailor scientist sculptor
shepherd shoemaker singer surgeon tailor teacher trader tutor waiter watchmaker weaver writer
`);

export const FAMILY = list(`mother father sister brother aunt uncle cousin grandmother grandfather neighbour`);

export const HOBBIES = list(`
archery baking boxing camping cards chess climbing cooking cycling dancing diving drawing fencing fishing gardening golf
hiking hockey hopping jogging juggling knitting marbles origami painting photography poetry pottery puzzles reading riding
rowing rugby running sailing sewing singing skating skiing sledding soccer surfing swimming tennis volleyball whistling
weaving wrestling yoga
`);

export const INSTRUMENTS = list(`
accordion banjo bagpipe bassoon cello clarinet cymbal drum fiddle flute guitar harp horn lute mandolin oboe organ
piano recorder saxophone tambourine triangle trombone trumpet tuba ukulele viola violin xylophone
`);
