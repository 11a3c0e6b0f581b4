import { list } from './list.ts';

export const COLOURS = list(`
amber beige black blue bronze brown copper coral cream crimson cyan emerald golden green grey indigo ivory khaki lime
magenta maroon mauve navy olive orange peach pink purple red ruby scarlet silver tan teal turquoise violet white yellow
`);

export const FOODS = list(`
almonds apples apricots asparagus bacon bagels bananas beans beetroot berries biscuits bread broccoli burgers butter
cabbage cake candy carrots cashews celery cereal cheese cherries chips chocolate coconut cookies corn crackers cucumber
curry custard dates dumplings eggs figs fudge garlic ginger gnocchi grapes gravy ham hazelnuts honey jam jelly ketchup
kiwis lasagna leeks lemons lentils lettuce mangoes marzipan melons meatballs muffins mustard noodles nuts oats olives
omelette onions pancakes pasta pastries peaches peanuts pears peas pepper pickles pie pizza plums popcorn porridge
potatoes pretzels pudding pumpkin quinces radishes raisins raspberries ravioli rice risotto salad sandwiches sausages
soup spaghetti spinach steak stew strawberries sushi tacos toast toffee tofu tomatoes truffles turnips vanilla waffles
walnuts yogurt zucchini
`);

/** What can be cooked or baked for somebody in a story. */
export const DISHES = list(`cake soup bread pie stew pudding porridge pizza curry custard`);

export const DRINKS = list(`
cider cocoa coffee cola juice lemonade milk milkshake nectar smoothie soda syrup tea water
`);

export const DAYS = list(`Monday Tuesday Wednesday Thursday Friday Saturday Sunday`);
export const MONTHS = list(`
January February March April May June July August September October November December
`);
export const SEASONS = list(`spring summer autumn winter`);
