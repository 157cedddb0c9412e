"""aiortc as an encoder (WHIP) or a player (WHEP): aiortc_peer.py whip|whep URL TOKEN.

A line of JSON a second tells what came so far: pictures decoded, and the sound's loudness. Ends, with DELETE, when its standard input does.
"""

import asyncio
import fractions
import json
import math
import sys
import time
from urllib.parse import urljoin

import aiohttp
import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack
from av import AudioFrame, VideoFrame

got = {"state": "new", "frames": 0, "energy": 0.0, "width": 0}


class Tone(MediaStreamTrack):
    """440 Hz, at half of full scale."""

    kind = "audio"
    RATE = 48000
    SAMPLES = 960

    def __init__(self):
        super().__init__()
        self.at = 0
        self.began = time.monotonic()

    async def recv(self):
        await asyncio.sleep(max(0, self.began + self.at / self.RATE - time.monotonic()))
        times = numpy.arange(self.at, self.at + self.SAMPLES) / self.RATE
        wave = (16000 * numpy.sin(2 * math.pi * 440 * times)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self.RATE, self.at, fractions.Fraction(1, self.RATE)
        self.at += self.SAMPLES
        return frame


class Picture(VideoStreamTrack):
    """A bar that wanders."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        image = numpy.full((240, 320, 3), 60, numpy.uint8)
        left = pts // 3000 * 4 % 300
        image[:, left : left + 20] = (40, 200, 120)
        frame = VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts, frame.time_base = pts, time_base
        return frame


async def look(track):
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if track.kind == "video":
            got["frames"] += 1
            got["width"] = frame.width
        else:
            samples = frame.to_ndarray().astype(numpy.float64) / 32768
            got["energy"] += float(numpy.mean(samples**2)) * frame.samples / frame.sample_rate


async def main(kind, url, token):
    connection = RTCPeerConnection()

    @connection.on("connectionstatechange")
    def changed():
        got["state"] = connection.connectionState

    @connection.on("track")
    def arrived(track):
        asyncio.ensure_future(look(track))

    if kind == "whip":
        connection.addTransceiver(Tone(), direction="sendonly")
        connection.addTransceiver(Picture(), direction="sendonly")
    else:
        connection.addTransceiver("audio", direction="recvonly")
        connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    headers = {"authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http:
        sdp = connection.localDescription.sdp
        async with http.post(url, data=sdp, headers={**headers, "content-type": "application/sdp"}) as answer:
            body = await answer.text()
            if answer.status != 201:
                sys.exit(f"{answer.status} {body}")
            session = urljoin(url, answer.headers["location"])
        await connection.setRemoteDescription(RTCSessionDescription(body, "answer"))
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        while not ended.done():
            print(json.dumps(got), flush=True)
            await asyncio.wait([ended], timeout=1)
        async with http.delete(session, headers=headers) as gone:
            print(json.dumps({**got, "ended": gone.status}), flush=True)
    await connection.close()


asyncio.run(main(*sys.argv[1:4]))
