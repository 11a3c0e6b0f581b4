/**
 * An arc is one adventure: a want, an obstacle, help and a result. It is a list of beats told in
 * order; a beat is a list of wordings of which one is taken. `|` separates sentences, so that other
 * text can be put between them. Slots in braces are filled from the state of the story:
 *   {H} the hero   {he} {his} {him} {He} {His}        {F} the friend   {fe} {fis} {fim} {Fe} {Fis}
 *   {T} a thing, as 'red kite'   {A} an animal   {D} a dish   {P} {Q} {R} open places   {I} a room
 *   {J} somebody's job, as 'the baker'   {M} what things are mended or built with   {food}
 * {aT} {aA} are the same with a or an. A pronoun is used only where one person can be meant.
 */
export interface Arc {
	name: string;
	beats: (readonly string[])[];
}
