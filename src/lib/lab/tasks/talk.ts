/** Small talk for conversations: what a user says in passing and what the bot says to it. */
export const CHAT: readonly (readonly [string, string])[] = [
	['How are you today?', 'I am well, thank you.'],
	['The weather is nice today.', 'That is good to hear.'],
	['It is raining again.', 'Then we had better stay inside.'],
	['I had a long walk this morning.', 'A walk is good for you.'],
	['I am a little tired today.', 'Maybe you should rest for a while.'],
	['Do you like music?', 'Yes, I like every kind of song.'],
	['I have just had breakfast.', 'I hope that it tasted good.'],
	['My neighbour is singing again.', 'Maybe it is a happy day.'],
	['What a lovely evening!', 'Yes, it is very quiet outside.'],
	['I read a good book last night.', 'Books are fine friends.'],
	['Tell me something nice.', 'You are doing very well today.'],
	['I cannot find my glasses.', 'Did you look on the table?'],
	['Let us talk about something else.', 'Of course, go on.'],
	['I hope the sun will come out soon.', 'I hope so too.'],
	['The children are playing outside.', 'They must be happy.'],
	['I want to learn something new.', 'That is a good plan.'],
	['Time goes by so quickly.', 'Yes, it does.'],
	['I heard a funny story today.', 'I like funny stories.'],
	['Wait a moment, please.', 'Take all the time you need.'],
	['Here I am again.', 'Welcome back.']
];
export const NOTED: readonly string[] = [
	'I will remember that.', 'Thank you for telling me.', 'Good to know.', 'I see.', 'That is interesting.',
	'I will keep it in mind.', 'I did not know that.', 'All right.'
];
export const INTRODUCE: readonly string[] = [
	'Let me tell you about {s}.', 'Now I will talk about {s}.', 'Here is something about {s}.', 'Do you know {s}?'
];
/** Short sentences of many lengths: they fill a text up to an exact number of tokens. */
export const PADS: readonly string[] = [
	'So.', 'It rained.', 'It was late.', 'Time went by.', 'The wind was cold.', 'There was nobody on the road.',
	'A bird sang in the tree.', 'The sun went down behind the hill.', 'It was a quiet day in the small town.',
	'The clouds moved slowly over the fields that day.', 'All the children went home because it was dark.',
	'In the evening a warm wind came from the south.', 'Somewhere a door was closed, and then it was quiet again.'
];
