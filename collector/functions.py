"""Functions of ClickHouse that only compute, by name: what SQL of people may call. Entries are regular expressions.

A list of what is allowed, since each release of the engine brings functions that reach files, servers and paid models.
"""

import re


def _any_of(words: str) -> str:
    return "|".join(words.split())


_COMBINATORS = "(If|Array|Map|Merge|State|ForEach|Distinct|OrDefault|OrNull|SimpleState)*"
_AGGREGATES = _any_of(r"""
any anyLast argMax argMin avg avgWeighted boundingRatio contingency corr count covar\w+ cramersV\w* delta\w*
entropy exponential\w+ first_value group(Array|Uniq|Bit)\w* histogram kolmogorovSmirnovTest kurt\w+ last_value
mannWhitneyUTest max maxMap median\w* min minMap proportionsZTest quantiles?\w* rankCorr retention sequence\w+
simpleLinearRegression skew\w+ stddev\w+ studentTTest sum sumMap sumKahan theilsU topK\w* uniq\w*
var(Pop|Samp)\w* welchTTest windowFunnel
""")
_FUNCTIONS = _any_of(r"""
if multiIf case coalesce ifNull nullIf isNull isNotNull assumeNotNull greatest least clamp isFinite isInfinite
isNaN ifNotFinite cast _CAST accurateCast\w* to[A-Z]\w+ transform and or not xor equals notEquals less greater
lessOrEquals greaterOrEquals exists any all abs sign round\w* floor ceil ceiling trunc sqrt cbrt exp exp2 exp10
log ln log2 log10 log1p pow power sin cos tan atan pi e erf erfc lgamma tgamma intDiv intDivOrZero modulo mod
plus minus multiply divide negate gcd lcm bit(And|Or|Xor|Not|Count|Test) min2 max2 widthBucket runningDifference
rand\w* now now64 today yesterday timeZone makeDate makeDateTime\w* date(Diff|Trunc|Name|Add|Sub)?
date_(diff|trunc|add|sub) timestamp(Diff|Add|Sub)? timestamp_(add|sub|diff) (add|subtract)[A-Z]\w+
(from|parse)[A-Z]\w*(Time|Timestamp|Date)\w* formatDateTime\w* timeSlots? age interval year quarter month week
day hour minute second tumble\w* hop\w* lower upper lowerUTF8 upperUTF8 length lengthUTF8 char_length
character_length empty notEmpty concat\w* substring\w* substr mid left\w* right\w* trim\w* ltrim rtrim
reverse\w* repeat format formatReadable\w+ replace\w* split[A-Z]\w* extract\w* match like notLike ilike notILike
position\w* locate multi(Search|Match|Fuzzy)\w+ count(Substrings|Matches)\w*
has(Token|AllTokens|AnyTokens|Phrase)\w* has hasAny hasAll hasSubstr startsWith\w* endsWith\w* ngram\w+
levenshteinDistance editDistance\w* damerauLevenshteinDistance jaroSimilarity soundex normalize\w+ tokens
alphaTokens leftPad rightPad isValidUTF8 toValidUTF8 char ascii unhex hex bin base64\w+ tryBase64Decode
domain\w* path cutQueryString protocol array\w* map\w* tuple\w* untuple indexOf JSON\w+ simpleJSON\w+
isValidJSON range emptyArrayString cityHash64 sipHash64 xxHash32 xxHash64 murmurHash3_64 farmHash64 halfMD5 MD5
SHA1 SHA256 crc32 row_number rank dense_rank percent_rank ntile lag lead lagInFrame leadInFrame nth_value bar
materialize ignore identity grouping series\w+ columns
""")
_TYPES = _any_of(r"""
Nullable LowCardinality Array Map Tuple Nested DateTime DateTime64 Decimal Decimal\d+ FixedString Enum8 Enum16
AggregateFunction SimpleAggregateFunction
""")

COMPUTING = re.compile(f"({_AGGREGATES}){_COMBINATORS}|{_FUNCTIONS}|{_TYPES}", re.IGNORECASE | re.ASCII)
"""Matches the whole name of a function that only computes (or of a type, which takes arguments too)."""

REACHING = re.compile(
    _any_of(r"""
file url s3 remote\w* dict[A-Z]\w* joinGet\w* ai[A-Z]\w* sleep\w* catboost\w* evalMLMethod naiveBayes\w*
getSetting\w* getMacro getServerPort getClient\w* hostName addressTo\w* filesystem\w* hasColumnInTable
region(To|In)\w* timeSeries\w* logTrace server[A-Z]\w* __\w+ mergeTree\w* executable\w* trap demangle zookeeper\w*
"""),
    re.IGNORECASE | re.ASCII,
)
"""Matches names of functions that reach out of the statement, as far as they are known: no alias may hide one."""
