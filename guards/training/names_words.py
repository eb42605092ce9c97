# ruff: noqa: SIM905  words read better as words
"""Small word lists of our own that texts with names are made of, and that the model's lists begin with."""

LOCALES = (
    "az_AZ cs_CZ da_DK de_AT de_CH de_DE de_LU en_GB en_IE en_IN en_KE en_NG en_NZ en_PK en_TH en_US es_AR es_CA "
    "es_CL es_CO es_ES es_MX et_EE fi_FI fr_BE fr_CA fr_CH fr_DZ fr_FR ga_IE ha_NG hr_HR hu_HU id_ID ig_NG is_IS it_IT "
    "lt_LT lv_LV nl_BE nl_NL no_NO pl_PL pt_BR pt_PT ro_RO sk_SK sl_SI sv_SE sw tr_TR tw_GH vi_VN yo_NG zu_ZA"
).split()
"""Those of faker whose people have names of their own in Latin script."""
ENGLISH = "en_US en_US en_US en_GB en_GB en_IN en_NZ".split()
"""A third of what is made up comes from here, by these shares: it is what English texts are full of."""
WITH_ADDRESSES = (
    "az_AZ cs_CZ da_DK de_AT de_CH de_DE en_GB en_IE en_IN en_NZ en_US es_AR es_CL es_CO es_ES es_MX fi_FI fr_CA fr_CH "
    "fr_DZ fr_FR hr_HR hu_HU id_ID it_IT nl_BE nl_NL no_NO pl_PL pt_BR pt_PT ro_RO sk_SK sl_SI sv_SE vi_VN zu_ZA"
).split()
POSTCODES = "en_GB nl_NL en_US fr_CA de_DE pl_PL pt_BR sv_SE".split()
STREETS = (
    "street st road rd avenue ave lane ln drive dr court ct place pl square sq boulevard blvd way terrace "
    "close crescent park parkway highway hwy row mews gardens grove hill route trail loop circle plaza walk "
    "quay embankment rue chemin allée impasse quai faubourg straße strasse str weg platz gasse allee ring ufer "
    "damm via viale piazza corso vicolo largo calle avenida paseo camino carrera transversal rua travessa "
    "praça alameda ulica ul aleja osiedle gatan gata vägen väg gade vej veien gate katu tie utca út tér strada "
    "bulevardul sokak cadde caddesi mahallesi jalan jl straat laan plein gracht marg nagar colony sector apt "
    "apartment suite unit flat floor building block house villa po box postbus postfach esc piso dpto piętro "
    "lgh"
).split()
STREET_KINDS = {
    "after": (
        "Street Road Avenue Lane Drive Court Place Square Boulevard Way Terrace Close Crescent St Rd Ave Ln Dr "
        "Blvd St. Rd. Ave. Blvd. Row Mews Gardens Grove Hill Parkway Highway"
    ).split(),
    "before": "Rue Via Calle Avenida Rua Jalan Viale Piazza Plaza Paseo Strada Carrera ul. Av. C/".split(),
}
STREET_NAMES = (
    "Oak Maple Cedar Elm Pine Birch Main High Church Mill Park Station Victoria King Queen Market Bridge River "
    "Lake Hill Spring Garden Forest Meadow Sunset Washington Lincoln Franklin Jefferson Madison Union North "
    "South East West First Second Third 2nd 5th 12th 42nd Broadway Baker Abbey Harbour School Chapel Orchard "
    "Rose Willow Chestnut Walnut Manor"
).split()
COMPANY_ENDS = (
    "Inc Inc. Ltd Ltd. LLC GmbH AG S.A. plc Corp Corp. Corporation Group Holdings Partners Associates "
    "Solutions Systems Technologies Labs Software Industries Services Consulting Logistics Foods Motors Energy "
    "Capital Ventures Media Bank Insurance Pharma Airlines Studios Networks Analytics"
).split()
INSTITUTIONS = (
    "University Hospital Bank Library Museum Airport Police Council Clinic Football-Club United City-Council "
    "Institute College School Chamber-of-Commerce Symphony-Orchestra Medical-Center Health-Trust "
    "Fire-Department"
).split()
WELL_KNOWN = (
    "Google;Microsoft;Apple;Amazon;Facebook;Meta;Netflix;Tesla;Samsung;Sony;Toyota;Honda;BMW;Siemens;Bosch;IBM;"
    "Intel;AMD;Nvidia;Oracle;SAP;Cisco;Adobe;Salesforce;Uber;Lyft;Airbnb;PayPal;Visa;Mastercard;"
    "American Express;JPMorgan Chase;Goldman Sachs;Morgan Stanley;Citibank;Bank of America;Wells Fargo;HSBC;"
    "Barclays;Deutsche Bank;BNP Paribas;UBS;Credit Suisse;Allianz;AXA;Boeing;Airbus;Lufthansa;Ryanair;"
    "British Airways;Emirates;Walmart;Target;Costco;Tesco;Aldi;Lidl;Carrefour;IKEA;Nike;Adidas;Puma;Zara;H&M;"
    "Coca-Cola;Pepsi;Nestlé;Unilever;Starbucks;McDonald's;Burger King;Pfizer;Moderna;Bayer;Novartis;Roche;"
    "Johnson & Johnson;Shell;BP;ExxonMobil;Chevron;Vodafone;Verizon;AT&T;T-Mobile;Orange;Telefónica;Comcast;"
    "Disney;BBC;CNN;Reuters;New York Times;Guardian;NATO;UNICEF;World Bank;European Union;United Nations;"
    "Red Cross;Greenpeace;FIFA;UEFA;Real Madrid;Barcelona;Manchester United;Arsenal;Chelsea;Lakers;Yankees;"
    "Harvard;Stanford;MIT;Oxford University;Cambridge University;OpenAI;Anthropic;GitHub;GitLab;Slack;Spotify;"
    "Twitter;LinkedIn;Reddit;TikTok;YouTube;Infosys;Tata;Wipro;Reliance;Alibaba;Tencent;Huawei;Xiaomi;Lenovo;"
    "Hyundai;Kia;LG;Volkswagen;Porsche;Renault;Peugeot;Fiat;Ferrari;Philips;ING;Heineken;Ericsson;Nokia;Volvo;"
    "Maersk;Lego;Equinor"
).split(";")
TITLES = "Mr Mr. Mrs Mrs. Ms Ms. Miss Dr Dr. Prof. Professor Sir Lady Judge Captain Sergeant Father Sister".split()
DEMONYMS = (
    "American British English Scottish Irish Welsh French German Italian Spanish Portuguese Dutch Belgian "
    "Swiss Austrian Polish Czech Hungarian Romanian Bulgarian Greek Turkish Russian Ukrainian Swedish "
    "Norwegian Danish Finnish Icelandic Canadian Mexican Brazilian Argentine Chilean Colombian Peruvian Cuban "
    "Egyptian Moroccan Nigerian Kenyan Ghanaian Ethiopian South-African Indian Pakistani Bangladeshi Chinese "
    "Japanese Korean Vietnamese Thai Indonesian Filipino Malaysian Australian Israeli Iranian Iraqi Syrian "
    "Lebanese Saudi Afghan"
).split()
PLACES = (
    "USA;U.S.;US;U.S.A.;United States;UK;U.K.;United Kingdom;England;Scotland;Wales;Great Britain;Holland;UAE;"
    "Europe;Asia;Africa;South America;North America;Middle East;NYC;L.A.;Bavaria;Catalonia;Tuscany;Brittany;"
    "Andalusia;Quebec;Ontario;British Columbia;New South Wales;Queensland;Kerala;Punjab;Gujarat;California;"
    "Silicon Valley;Yorkshire;Cornwall;Kent"
).split(";")
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday today tomorrow yesterday".split()
