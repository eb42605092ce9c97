"""Nationalities in English, as adjectives or nouns: the members of the United Nations and some peoples besides."""

_WORDS = """
Afghan Afghani Albanian Algerian American Andorran Angolan Arab Argentine Argentinian Armenian Australian Austrian
Azerbaijani Bahamian Bahraini Bangladeshi Barbadian Basque Belarusian Belgian Belizean Belizian Beninese Bhutanese
Bolivian Bosnian Botswanan Brazilian Briton British Bruneian Bulgarian Burkinabe Burmese Burundian Cambodian
Cameroonian Canadian Catalan Chadian Chechen Chilean Chinese Colombian Comorian Congolese Croat Croatian Cuban Cypriot
Czech Dane Danish Djiboutian Dominican Dutch Ecuadorean Ecuadorian Egyptian Emirati English Englishman Eritrean
Estonian Ethiopian Fijian Filipino Finn Finnish French Frenchman Gabonese Gambian Georgian German Ghanaian Greek
Greenlander Greenlandic Grenadian Guatemalan Guinean Guyanese Haitian Hispanic Honduran Hungarian Icelander Icelandic
Indian Indonesian Iranian Iraqi Irish Irishman Israeli Italian Ivorian Jamaican Japanese Jordanian Kazakh Kenyan
Korean Kosovar Kurd Kurdish Kuwaiti Kyrgyz Laotian Latino Latvian Lebanese Lesothan Liberian Libyan Liechtensteiner
Lithuanian Luxembourger Macedonian Malagasy Malawian Malaysian Maldivian Malian Maltese Mauritanian Mauritian Mexican
Micronesian Moldovan Monegasque Mongolian Montenegrin Moroccan Mozambican Namibian Nauruan Nepalese Nepali
Nicaraguan Nigerian Nigerien Norwegian Omani Pakistani Palauan Palestinian Panamanian Paraguayan Persian Peruvian
Pole Polish Portuguese Qatari Romanian Russian Rwandan Salvadoran Samoan Saudi Scot Scottish Senegalese Serb Serbian
Singaporean Slovak Slovakian Slovene Slovenian Somali Spaniard Spanish Sudanese Surinamese Swazi Swede Swedish Swiss
Syrian Taiwanese Tajik Tanzanian Thai Tibetan Togolese Tongan Trinidadian Tunisian Turk Turkish Turkmen Tuvaluan
Ugandan Ukrainian Uruguayan Uzbek Venezuelan Vietnamese Welsh Welshman Yemeni Zambian Zimbabwean
Buddhist Catholic Christian Hindu Jew Jewish Muslim Protestant Shia Shiite Sikh Sunni
"""
DEMONYMS = tuple(sorted((word for word in _WORDS.split() if word not in {"Pole", "Scot"}), key=len, reverse=True))
"""Longest first. `Pole` and `Scot` are left out: more often another word or a name."""
