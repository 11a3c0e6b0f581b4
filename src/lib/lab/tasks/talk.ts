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
	['I read a good book last night.', 'A book is a fine friend.'],
	['Tell me something nice.', 'You are doing very well today.'],
	['I cannot find my glasses.', 'Did you look on the table?'],
	['Let us talk about something else.', 'Of course, go on.'],
	['I hope the sun will come out soon.', 'I hope so too.'],
	['The children are playing outside.', 'They must be happy.'],
	['I want to learn something new.', 'That is a good plan.'],
	['Time goes by so quickly.', 'Yes, it does.'],
	['I heard a funny story today.', 'I like funny stories.'],
	['Wait a moment, please.', 'Take all the time you need.'],
	['Here I am again.', 'Welcome back.'],
	['Did you sleep well?', 'I never sleep, but thank you for the question.'],
	['My hands are cold.', 'You should wear a warm coat.'],
	['I will make some tea.', 'That is lovely.'],
	['The cat is asleep on the chair.', 'Then do not wake it.'],
	['There is much snow this winter.', 'You could build a snowman.'],
	['I want to paint a picture.', 'Which colour will you use first?'],
	['The train was late again.', 'I hope you had a good book.'],
	['I have to clean my room.', 'It will be done soon.'],
	['My friend will come soon.', 'Have a good time together.'],
	['I think I lost my key.', 'Did you look in your pockets?'],
	['Can you sing?', 'Yes, but very quietly.'],
	['We went to the beach.', 'Was the water warm?'],
	['Yes, it was wonderful.', 'I am glad to hear it.'],
	['Last night I had a strange dream.', 'I would like to hear about it.'],
	['The garden is full of birds.', 'They must be looking for seeds.'],
	['I would like to travel more.', 'There is so much to see.'],
	['The soup was too cold.', 'You can make it warm again.'],
	['I want to learn to dance.', 'Go on, you will be good at it.'],
	['Somebody is at the door.', 'Go and see who it is.'],
	['It was only the wind.', 'The wind is strong today.'],
	['What should I do this afternoon?', 'You could read or go outside.'],
	['I want to cook something for my family.', 'They will be happy about it.'],
	['Do you know a joke?', 'I know many, but they are all old.'],
	['The stars are bright tonight.', 'It is a beautiful night.'],
	['I have a question, but I forgot it.', 'It will come back to you.'],
	['My coat is full of snow.', 'You can dry it at the stove.'],
	['You are a good friend.', 'Thank you, that is kind of you.'],
	['I need a moment to think.', 'I will wait.'],
	['The market was full of people.', 'Did you buy something?'],
	['No, I only looked around.', 'That is nice too.']
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
	'The wind moved slowly over the grass that day.', 'All the children went home because it was dark.',
	'In the evening a warm wind came from the south.', 'Somewhere a door was closed, and then it was quiet again.'
];
