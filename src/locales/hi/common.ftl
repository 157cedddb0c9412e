# The frame of every page, dates and spans of time.
product = चैंपियंस हब
ministry = सूक्ष्म, लघु और मध्यम उद्यम मंत्रालय
skip-to-content = सीधे मुख्य सामग्री पर जाएँ
language = भाषा
navigation = पृष्ठ
ist = IST
sign-in = साइन इन करें
sign-out = साइन आउट करें
back = वापस
continue = आगे बढ़ें
change = बदलें
choose = एक चुनें
search = खोजें
yes = हाँ
no = नहीं
on = चालू
off = बंद
up = उठा है
down = नीचे
any = कोई भी
never = कभी नहीं
reason = कारण
username = उपयोगकर्ता नाम
password = पासवर्ड
go-home = मुख्य पृष्ठ पर जाएँ
by-date = { $date } तक
the-hub = चैंपियंस हब
close-dialog = बंद करें
footer-words = सूक्ष्म, लघु और मध्यम उद्यमों के लिए निःशुल्क लोक सेवा। सभी समय भारतीय मानक समय में हैं।
footer-demo = यह एक प्रदर्शन है। नाम, नंबर और मामले काल्पनिक हैं; इस मशीन से कुछ भी बाहर नहीं जाता।
nav-file = शिकायत दर्ज करें
nav-track = मामले की स्थिति
nav-desk = डेस्क
nav-rules = वितरण के नियम
nav-review = समीक्षा
nav-room = नियंत्रण कक्ष
nav-walk-in = आगंतुक की शिकायत
nav-admin = प्रशासन
nav-phone = डेमो टेलीफ़ोन
nav-mails = डेमो ईमेल
span-days =
    { $count ->
        [one] { $n } दिन
       *[other] { $n } दिन
    }
span-hours =
    { $count ->
        [one] { $n } घंटा
       *[other] { $n } घंटे
    }
span-minutes =
    { $count ->
        [one] { $n } मिनट
       *[other] { $n } मिनट
    }
span-left = { $span } शेष
span-late = { $span } देरी
month-1 = जनवरी
month-2 = फ़रवरी
month-3 = मार्च
month-4 = अप्रैल
month-5 = मई
month-6 = जून
month-7 = जुलाई
month-8 = अगस्त
month-9 = सितंबर
month-10 = अक्तूबर
month-11 = नवंबर
month-12 = दिसंबर
weekday-1 = सोमवार
weekday-2 = मंगलवार
weekday-3 = बुधवार
weekday-4 = गुरुवार
weekday-5 = शुक्रवार
weekday-6 = शनिवार
weekday-7 = रविवार
error-prefix = त्रुटि:
error-summary = कुछ सुधारना ज़रूरी है
