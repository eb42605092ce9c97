"""An application of three lines, and the fourth that makes it observable and safe.

spanward serve            # in one terminal
python examples/chat.py   # in another, with OPENAI_API_KEY set
"""

import openai

import spanward

spanward.instrument()

client = openai.OpenAI()
with spanward.session("ticket-4711"), spanward.user("customer-7", group="paid"):
    answer = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Write one sentence to jane.doe@example.com about her late parcel."}],
    )
print(answer.choices[0].message.content)
