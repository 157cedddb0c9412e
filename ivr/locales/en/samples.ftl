# What a caller might say: for the demo's telephone, where there is no microphone. Invented names.

sample-grievance = My name is Asha Patil. I run Patil Castings in Pune. My bank has refused my working capital loan and gives no reason.
