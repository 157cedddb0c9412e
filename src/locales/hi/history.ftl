# मामले का इतिहास, जैसा डेस्क पढ़ता है।
history-filed = दर्ज हुआ।
history-routed = नियम से इस डेस्क को भेजा गया:
history-attended = हाथ में लिया गया।
history-replied = इकाई को लिखा गया।
history-transferred = आगे सौंपा गया। कारण:
history-interim_replied = इकाई को बताया गया कि अधिक समय लगेगा।
history-decided = निर्णय हुआ। कारण:
history-hearing_fixed = सुनवाई तय की गई।
history-closed = बंद किया गया।
history-reopened = फिर खोला गया। कारण:
history-appealed = अगले वरिष्ठ अधिकारी के पास ले जाया गया। कारण:
history-attend_overdue = तीसरा दिन बीत गया और किसी ने नहीं देखा। अधिकारी और प्रमुख को बताया गया।
history-conclude_overdue = सातवाँ दिन बीत गया। अधिकारी, प्रमुख और सचिव को बताया गया; अनुचित विलंब स्वयं लागू है।
history-sound_lost = कॉल की आवाज़ सेवा-प्रदाता से नहीं मिल सकी। कृपया कॉल करने वाले को फ़ोन करें।
