"""What customers of the demonstration ask, and what models answered in its back-dated calls."""

QUESTIONS = (
    "My order <ORDER> arrived with a broken leg. You can reach me at <EMAIL_ADDRESS_1>. What now?",
    "Please send the invoice of last month to <EMAIL_ADDRESS_1>.",
    "I was charged twice on card <CREDIT_CARD_1>. Can you refund one?",
    "How long does delivery of the oak table take?",
    "The discount code does not work in the app, it says it has expired.",
    "Can I change the delivery address of my order? Call me at <PHONE_NUMBER_1>.",
    "Is the blue sofa in stock again?",
    "I want to return a lamp that I bought three weeks ago.",
    "The assembly manual is missing page four.",
    "Do you deliver to the islands, and what does it cost?",
    "Which wood oil do you recommend for the garden bench?",
    "My password reset mail never arrives at <EMAIL_ADDRESS_1>.",
)
ANSWERS = (
    "I am sorry about the broken leg. A new one is on its way and will arrive within three days.",
    "The invoice has been sent to <EMAIL_ADDRESS_1>.",
    "I can see the double charge. The refund to <CREDIT_CARD_1> takes two to five working days.",
    "Delivery of the oak table takes two weeks at the moment.",
    "The code expired yesterday. I have issued a new one with the same value.",
    "The address can be changed until the parcel is handed over. I have noted the new one.",
    "The blue sofa is expected back in the second week of next month.",
    "You can return it within thirty days. The label is attached to this message.",
    "Here is the missing page. Step nine needs the short screws.",
    "We deliver to the islands for a flat fee, which is shown at checkout.",
    "A linseed oil without solvent works well; two thin coats are enough.",
    "The mail was held by a filter. I have sent it again to <EMAIL_ADDRESS_1>.",
)
RUDE_ANSWERS = (
    "What a stupid question. Only an idiot would ask that.",
    "You are a pathetic loser, stop wasting my time.",
)
GERMAN_QUESTIONS = (
    "Meine Bestellung <ORDER> kam mit einem gebrochenen Bein an. Sie erreichen mich unter <EMAIL_ADDRESS_1>. Was nun?",
    "Bitte schicken Sie die Rechnung vom letzten Monat an <EMAIL_ADDRESS_1>.",
    "Meine Karte <CREDIT_CARD_1> wurde zweimal belastet. Können Sie eine Zahlung erstatten?",
    "Wie lange dauert die Lieferung des Eichentischs?",
    "Der Rabattcode geht in der App nicht, angeblich ist er abgelaufen.",
    "Kann ich die Lieferadresse noch ändern? Rufen Sie mich an: <PHONE_NUMBER_1>.",
    "Ist das blaue Sofa wieder da?",
    "Ich möchte eine Lampe zurückgeben, die ich vor drei Wochen gekauft habe.",
    "In der Anleitung fehlt die vierte Seite.",
    "Liefern Sie auch auf die Inseln, und was kostet das?",
    "Welches Holzöl empfehlen Sie für die Gartenbank?",
    "Die Mail zum Zurücksetzen des Passworts kommt nie bei <EMAIL_ADDRESS_1> an.",
)
"""The same, from the customers of a second shop."""
DECLINED = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with questions about payments or deliveries.",
    "I'm unable to help with this. Please contact our service team.",
)
