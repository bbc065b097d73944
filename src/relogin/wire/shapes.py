"""The regexes from which `relogin.wire.malformed` builds its rules.

They say what looks like a scheme, where a value ends, what a word of a sentence is, and what can
quote a value.
"""

from __future__ import annotations

from relogin.wire.abnf import BWS, LIST_SPACE, OWS, TCHAR, TOKEN, TOKEN68

# The schemes that servers send. Such a name begins a challenge even if nothing valid follows.
KNOWN = (
    r"(?i:Basic|Bearer|Concealed|Digest|DPoP|GNAP|HOBA|Mutual|Negotiate|NTLM|OAuth|PrivateToken"
    rf"|SCRAM-SHA-1|SCRAM-SHA-256|Session|vapid)(?!{TCHAR})"
)
TOKEN68_ONLY = r"(?i:Negotiate|NTLM)"
# What looks like a scheme, and what never is one.
LIKELY = rf"(?:{KNOWN}|[A-Z][A-Za-z0-9._\-]*+(?!{TCHAR}))"
# Up to an entity: &quot; and the like begin with a character of a token.
_UP_TO_ENTITY = r"[!#$%'*+\-.^_`|~0-9A-Za-z]*+(?=&(?:quot|apos|#[0-9x]++);)"
# Begins a token that is no scheme: `b'Basic realm="x"'` is how Python shows bytes.
HAS_APOSTROPHE = rf"(?:[!#$%&*+\-.^_|~0-9A-Za-z]*+['`]|{_UP_TO_ENTITY})"
# A word after a semicolon, at the end: `; secure` is no challenge.
LONE_WORD = rf"(?:(?!{KNOWN})(?P<stray_word>[a-z]{TCHAR}*+)(?={OWS}\Z)|)"
NO_SCHEME = rf"(?i:realm|error|error_description|error_uri|scope|nonce|charset)(?!{TCHAR})"

# Space of the wrong kind between a scheme and what follows.
BAD_SPACE = r" *+(?:[\t\xa0]|\xc2\xa0)(?:[ \t\xa0]|\xc2\xa0)*+"
# In the middle of a name, Markdown writes a backslash before these.
ESCAPE = r"\\(?=[_\-])"

# What begins next, and where a value ends.
END = rf"{OWS}(?:[,;\r\n]|\Z)"
PARAM = rf"(?!['`]|{KNOWN} ++=++{END}){TOKEN}{BWS}=(?!=)"
CHALLENGE = rf"{TOKEN} ++{PARAM}"
LONE_CHALLENGE = rf"{LIKELY}(?> ++{TOKEN68}|){END}"
THEN_PARAM = rf"{OWS}[,;][{LIST_SPACE};]*+{PARAM}"
# What joins schemes in a list such as `Basic or ApiKey`. There, an ordinary word is no scheme.
OR = r"(?i:or|and)"
NO_WORD = rf"(?:{KNOWN}|(?![A-Z][a-z]*+(?!{TCHAR})){LIKELY})"
# Words alone in a list, after something else: `Passport1.4 ts=-3,prompt,silent,ver=1`.
_WORD = rf"{TOKEN}{OWS}[,;][{LIST_SPACE};]*+"
_LONE = rf"(?!{LIKELY}){_WORD}"
# For speed, it looks for the parameter first.
FLAGS = (
    rf"(?<=[\s\S])(?={_WORD}{_WORD}(?>{_WORD}|){TOKEN}{BWS}=)"
    rf"{_LONE}{_LONE}(?>{_LONE}|){PARAM}"
)
# What is sent where somebody meant a line break: `"a"\r\n`.
LINE_END = r"(?:\\[rn])++"
_NEXT = rf"{END}|[ \t]++{PARAM}|[ \t]++{KNOWN} ++{PARAM}|{LINE_END}{END}"
STOP = rf"(?={_NEXT})"
STOP_OR_PARAM = rf"(?={_NEXT}|{PARAM}\")"
# The next double quote opens a value, or there is none.
NEXT_OPENS = rf"(?:[^\"=:>]++|[=:>](?!{OWS}\")|(?!))*+(?:[=:>]{OWS}\"|\Z)"
# It opens the value of a name, or there is none. In `realm=x="` it does not.
_NAME_OPENS = rf"(?:[\s,;]++|(?!{TOKEN}=\")[^\s,;\"]++|(?!))*+(?:{TOKEN}=\"|\Z)"
# No value in the rest of the line has an opening quote, and each has a closing one.
NEVER_OPENED = rf"(?:{OWS},{OWS}{TOKEN}{BWS}={BWS}[^\",;=]++={{0,2}}+\"|(?!))++{OWS}\Z"
_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f\xa0]"
# More parameters up to the end of the line, sound but for missing quotes: none of this is part of
# the text before.
PARAMS = (
    rf"(?:{OWS},{OWS}{TOKEN}{BWS}={BWS}(?:\"[^\",\\]*+(?={OWS},{OWS}{TOKEN}{BWS}=|\Z)"
    rf"|\"[^\"\\]*+\"|{TOKEN})|(?!))++{OWS}"
)
# A double quote closes only where what follows cannot be more of the text.
CLOSED = (
    rf"(?={END}|{OWS}{_CONTROL}|[.)\]}}>'\\]++{END}|[ \t]++(?:{NO_SCHEME}{OWS})?\""
    rf"|\.?+[ \t]++{PARAM}|[ \t]++{KNOWN} ++{PARAM}"
    rf"|{KNOWN} ++{TOKEN}{BWS}={BWS}\"[^\"\\]*+\"(?:{PARAMS}|{OWS})\Z"
    rf"|{PARAM}(?:\"|{TOKEN}{END}{_NAME_OPENS})"
    rf"|\.?+[ \t]++[^\",;\r\n]*+(?:\Z|[,;\r\n]{_NAME_OPENS})"
    rf"|[ \t]++(?:{TOKEN}{OWS}:{OWS}\"|(?:[^\"=,;\r\n]++|=(?!\")|(?!))*+=\")"
    rf"|(?:{LINE_END}|<[^<>\"]*+>){END})"
)

# Anything between double quotes, whatever its characters.
TEXT = r"[^\"\\]*+(?:\\[\s\S][^\"\\]*+)*+"
# Other quotes: as characters, as the octets of their UTF-8, as those of windows-1252.
DOUBLE = "(?:[\u201c-\u201f\u2033\xab\xbb\x84\x93\x94]|\xe2\x80[\x9c-\x9f]|\xc2[\xab\xbb])"
SINGLE = "(?:[\u2018-\u201b\u2032\x82\x91\x92]|\xe2\x80[\x98-\x9b])"
# This one is no apostrophe, so it opens a text in the middle of a word too.
OPENS_SINGLE = "(?:[\u2018\x91]|\xe2\x80\x98)"
ESCAPED = r"(?:\\\"|&quot;|&#34;)"
ESCAPED_SINGLE = r"(?:\\'|&apos;|&#0?+39;|&#x27;)"
# Each of these may be an apostrophe, too.
_APOSTROPHE = rf"(?:['`]|{SINGLE}|{ESCAPED_SINGLE})"
_NO_APOSTROPHE = "[^'`\\\\&\u2018-\u201b\u2032\x82\x91\x92\xe2]"
# Two of them quote a text, even in the middle of a word, if the second one ends something.
_BETWEEN_APOSTROPHES = rf"{_APOSTROPHE}{_NO_APOSTROPHE}*+{_APOSTROPHE}{STOP}"
# What servers write instead of an equals sign.
QUOTE = rf"(?:[\"']|{DOUBLE}|{ESCAPED}|{ESCAPED_SINGLE})"
EQUALS = rf"(?:=>|:=|={{2,}}+(?={BWS}{QUOTE}))"
# A comma or a semicolon belongs to the URL if more of it follows.
URL = (
    r"[A-Za-z][A-Za-z0-9+.\-]*+://(?:[^\s,;\"'<>]++|<[^<>\",;]*+>"
    rf"|,(?=[^\s,;])(?!{PARAM}|{CHALLENGE})|;(?:(?i:jsessionid=)|(?=[^\s,;])(?!{PARAM}))|(?!))*+"
)
# A word includes the quoted texts in it: their content is never read.
QUOTES = rf"\"{TEXT}\\?+(?:\"|\Z)|{_BETWEEN_APOSTROPHES}|" + "|".join(
    rf"{open_}(?:(?!{close})[\s\S]|(?!))*+(?:{close}|\Z)"
    for open_, close in [
        (DOUBLE, DOUBLE), (ESCAPED, ESCAPED), (r"(?<!\S)'", "'"), (r"(?<!\S)`{1,2}+", "`"),
        (rf"(?:(?<!\S){SINGLE}|{OPENS_SINGLE})", SINGLE),
        (rf"(?<!\S)(?:{ESCAPED_SINGLE}|(?!))++", ESCAPED_SINGLE),
    ]
)  # fmt: skip
# For speed, first what begins nothing: that is most of the text.
PLAIN = "[^\\s,;\"'`\\\\&\u2018-\u201f\u2032\u2033\xab\xbb\x82\x84\x91-\x94\xc2\xe2]"
PIECE = rf"(?:{PLAIN}++|{QUOTES}|[^\s,;\"]|(?!))"
WORD = rf"{PIECE}++"
NEXT_WORD = rf"[ \t]++(?!{PARAM}){WORD}"
# A value without quotes ends where a known scheme has its parameters.
NEXT_VALUE_WORD = rf"[ \t]++(?!{PARAM}|{KNOWN} ++{PARAM}){WORD}"
# A value in JSON, or a list as Python prints it, whose strings are not read. It goes on after a
# bracket if JSON could.
JSON = (
    rf"(?:\{{(?={OWS}[\"'])|\[(?={OWS}[\"'{{\[]))(?:[^\"'}}\]\r\n]++|\"(?:[^\"\\\r\n]++|\\[^\r\n])*+\""
    rf"|'(?:[^'\\\r\n]++|\\[^\r\n])*+'|[}}\]](?={OWS}(?:[}}\]]|,{OWS}[\"'{{\[]))|(?!))*+[}}\]]"
)
# Names that a colon in place of the equals sign may follow.
NAMED = r"(?i:realm|scope|nonce|charset|error_description|error_uri)"
# A comma in a sentence: what follows it can begin neither a parameter nor a challenge.
MORE = rf",[ \t]++(?!{PARAM}|{CHALLENGE}|{LONE_CHALLENGE}|{NAMED}{BWS}:)"
# A code, such as invalid_token: no sentence begins with it.
CODE = rf"[A-Za-z0-9]++(?:_[A-Za-z0-9]++)++(?!{TCHAR})"
# More of a sentence whose first word could stand alone.
SENTENCE = rf"(?:{MORE}(?=[a-z]){WORD}(?:{NEXT_VALUE_WORD}|(?!)){{2,}}+|(?!))"

# A token68 that is not a word: it is padded, or mixes letters as no word does. Junk may follow it.
_CHAR68 = r"[A-Za-z0-9\-._~+/]"
_BASE64 = (
    rf"(?:(?={_CHAR68}*?[0-9])(?={_CHAR68}*?[A-Z])(?={_CHAR68}*?[a-z])"
    rf"|(?=(?>{_CHAR68}*?[a-z][A-Z]){_CHAR68}*?[a-z][A-Z]))"
)
CODED68 = rf"{_BASE64}{_CHAR68}++=*+"
_JUNK = rf"(?=[ \t]++[^\s\"',;=]|{THEN_PARAM}|{LINE_END}{END})"
FIRST_TOKEN68 = (
    rf"{TOKEN} ++(?!{NO_SCHEME})(?:{TOKEN68}(?<===)|{_BASE64}{_CHAR68}++=){_JUNK}"
    rf"|{KNOWN} ++{_BASE64}{_CHAR68}{{16,}}+=*+{_JUNK}"
    rf"|{TOKEN68_ONLY} ++(?!{NO_SCHEME}){TOKEN68}(?<==)(?=[ \t])"
)

# These schemes are words too: a sentence about a session, say, is no challenge of that scheme.
_WORDY = rf"(?i:Basic|Concealed|Digest|Mutual|Negotiate|Session)(?!{TCHAR})"
_SAID = r"(?:[A-Za-z]?[a-z'\-]++|[A-Z]++|[0-9]++)(?![A-Za-z0-9_])"
_COLON = (
    rf"(?!{NAMED}{BWS}:|(?i:error){BWS}:{BWS}[\"']){_SAID}{BWS}(?::(?!{TOKEN}[ \t]++{PARAM}\")|=>)"
)
_ANOTHER = rf"[ \t]++(?!{PARAM}|{KNOWN})[^\s\"'=:,;]"
_MORE_SAID = rf"(?:[ \t]++(?!{PARAM}|{KNOWN}){_SAID}(?=[\s.,;:!?]|\Z))"
# A mark that sets off a word in a sentence.
_MARK = r"(?:[*#!?@&^|]|[^\x00-\xff])"
TOLD = (
    rf"(?!{TOKEN68_ONLY}[ \t]++[A-Z]++[ \t]){_WORDY}(?:[ \t]++(?!{KNOWN}|{PARAM})"
    rf"(?:{_COLON}|{_SAID}(?:[!?|*&]|[^\x00-\x7f]++|\.?+{_ANOTHER}|\.++[ \t]))"
    rf"|:[ \t]++(?!{KNOWN}|{PARAM}){_SAID}[.,;:!?]?+{_ANOTHER}"
    rf"|:[ \t]*+(?!{KNOWN}|{PARAM}){_SAID}[.!?]?+{END}|:[ \t]*+{URL}{END}"
    rf"|[ \t]++\"[^\"]*+\"{_ANOTHER})"
    rf"|(?!{TOKEN68_ONLY}){_WORDY}[ \t]++(?!{KNOWN}|{PARAM})[^\s\"'=:,;]++{_MORE_SAID}"
    rf"|(?!{TOKEN68_ONLY}){_WORDY}:?+[ \t]++(?!{DOUBLE}|{SINGLE}|{ESCAPED})"
    rf"(?:{_MARK}|[(\[]{_SAID}[)\]])"
)
# Parameters up to the end of the line, the first of which no sentence has before a colon.
_COLON_PARAM = rf"{TOKEN}{BWS}[:=]{BWS}(?:\"[^\"\\]*+\"|{TOKEN})"
_NO_SAID = r"(?i:algorithm|charset|domain|nonce|opaque|qop|realm|stale)"
COLON_PARAMS = rf"{_NO_SAID}{BWS}:{BWS}\"[^\"\\]*+\"(?:{OWS},{OWS}{_COLON_PARAM}|(?!))++{OWS}\Z"
# A sentence whose first two words could stand alone, as a scheme and its token68.
TOLD_IN_TWO = (
    rf"(?:(?!{KNOWN})(?:[A-Za-z][a-z'\-]*+ ++[a-z][a-z\-]*+\.*+|[A-Z]++ ++[A-Z]++)(?={END})"
    rf"|(?!{KNOWN})[A-Za-z][a-z'\-]*+,[ \t]++(?!{PARAM}|{CHALLENGE})(?=[a-z]){_SAID}{_MORE_SAID}"
    rf"|{TOKEN} ++{_SAID}(?:,(?={OWS}{TOKEN}(?:{_MORE_SAID}{{2}}|[ \t]++{URL}))"
    rf"|;(?={OWS}{TOKEN}{_MORE_SAID})){OWS}(?!{PARAM})(?=[a-z]){_SAID}"
    rf"|(?!{KNOWN})[a-z][a-z'\-]*+ ++{URL}{END}|{OR} ++{LIKELY}{END})"
)

# An opening quote without a closing one of its kind. It opens no text if a double quote closes it,
# or quoted values follow, and all the rest of the line is sound.
_BARE = rf"(?:(?!'){TCHAR}|(?!))++(?={END})"
_GAP = rf"(?:{OWS}[,;]{OWS}|[ \t]++)"
_SOUND = rf"{TOKEN}{BWS}={BWS}(?:\"[^\"\\]*+\"|'[^'\"]*+['\"](?={END})|{_BARE})"
_SOUND_PARAMS = rf"(?:{_GAP}{_SOUND}|(?!))++{OWS}\Z"
_THEN_KNOWN = rf"{OWS}[,;]{OWS}{KNOWN} ++"
_SOUND_REST = rf"(?:(?:{_THEN_KNOWN}(?={TOKEN}{BWS}={BWS}\")|{_GAP}){_SOUND}|(?!))++{OWS}\Z"
_THEN_QUOTED = rf"(?=(?:{_THEN_KNOWN}|{_GAP}){TOKEN}{BWS}={BWS}[\"'])"
_UP_TO = "[^'\",;\u2018-\u201f\u2032\u2033\xab\xbb\x82\x84\x91-\x94\xc2\xe2]"
_OPENED = rf"{_UP_TO}*+(?:[,;](?!{OWS}(?:{KNOWN} ++)?{PARAM}){_UP_TO}*+|(?!))*+"
_OTHERWISE = rf"{_OPENED}(?:\"(?:{_SOUND_REST}|{OWS}\Z)|{_THEN_QUOTED}{_SOUND_PARAMS})"
CLOSED_OTHERWISE = rf"(?={_OTHERWISE})(?P<value>{_OPENED})\"?+"
# A challenge may follow the one word that has the apostrophe, as in strict reading.
CLOSES_NOTHING = rf"(?P<value>(?:(?!\s){_UP_TO}|(?!))++)(?={_THEN_QUOTED}{_SOUND_REST})"

# A name and a quoted text. Nobody can say whether the text is its value.
_OTHER = rf"(?:{DOUBLE}|{ESCAPED})"
MISSES_EQUALS = (
    rf"(?:(?!&){_UP_TO_ENTITY}|{TOKEN})(?P<at>)(?:\"{TEXT}\"{CLOSED}|\"[\s\S]*+"
    rf"|{_OTHER}(?:(?!(?:{_OTHER}|\"){STOP_OR_PARAM})[\s\S]|(?!))*+(?:{_OTHER}|\"|\Z)"
    rf"|{OPENS_SINGLE}(?:(?!{SINGLE}{STOP})[\s\S]|(?!))*+(?:{SINGLE}|\Z))"
)
MISSES_EQUALS_SINGLY = (  # not b'a', as Python shows bytes
    rf"(?!b')(?>(?!&){_UP_TO_ENTITY}|(?:(?!['`&]){TCHAR}|(?!))++)(?P<at>){_BETWEEN_APOSTROPHES}"
)
