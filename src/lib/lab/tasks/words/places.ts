import { list } from './list.ts';

/** Invented towns, so that nothing outside the text says anything about them. */
export const TOWNS = list(`
Ashford Bramley Brookside Cedarton Claywell Coppermill Cranbury Dunmore Eastvale Elmhurst Fairhaven Fernley Foxhill
Glenwood Goldcrest Greenfield Hartwell Hazelton Highbridge Hollybrook Ironwood Juniper Kingsbay Lakeview Larkspur
Longmeadow Maplewood Marlow Millbrook Moorland Mossgate Newbury Northport Oakdale Oldtown Pinecrest Quarryton
Ravenhill Redcliff Riverton Rockport Rosewood Saltmarsh Sandpoint Seabrook Silverlake Southgate Springdale
Stonebridge Summerton Swanlake Thornbury Underhill Valewood Westbrook Whitecliff Wildwood Willowby Winterton Woodstock
`);

/** Rooms and buildings where a thing can be. */
export const INDOORS = list(`
attic bakery bank barn basement bathroom bedroom cabin cafe castle cellar chapel church cinema classroom clinic cottage
factory farmhouse garage greenhouse hall hospital hotel hut kitchen laboratory library lighthouse lobby mansion mill
museum nursery office palace pantry pharmacy post prison restaurant school shed shop stable station studio temple
theatre tower treehouse warehouse windmill workshop
`).filter((w) => w !== 'post' && w !== 'prison');

/** Open places where people walk. */
export const OUTDOORS = list(`
beach bridge canyon cave cliff coast courtyard crossroads desert farm field forest fountain garden glacier harbour hill
island jungle lagoon lake market marsh meadow mountain oasis orchard park path pasture pier playground pond port quarry
river road shore spring square stream street swamp valley village vineyard volcano waterfall well woods yard zoo
`);

export const FURNITURE = list(`
armchair bench bookcase cabinet carpet chair chest closet couch counter crib cupboard desk dresser fireplace hammock
ladder locker rug shelf sofa stool stove table wardrobe
`);
