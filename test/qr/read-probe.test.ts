import { it } from 'vitest';
import { readFileSync } from 'node:fs';
import { prepareZXingModule } from 'zxing-wasm/reader';
it('p', async () => {
  const cpu=()=>{const u=process.cpuUsage();return (u.user+u.system)/1000};
  const base = { formats:'QRCode', tryHarder:true, tryRotate:true, tryInvert:true, tryDownscale:true, tryDenoise:false, binarizer:0, isPure:false, downscaleFactor:3, downscaleThreshold:500, minLineCount:2, maxNumberOfSymbols:64, validateOptionalChecksum:false, returnErrors:false, eanAddOnSymbol:0, textMode:0, characterSet:0, tryCode39ExtendedMode:false };
  const m: any = await prepareZXingModule({overrides:{wasmBinary: readFileSync('node_modules/zxing-wasm/dist/reader/zxing_reader.wasm')} as any, fireImmediately:true});
  for (const [w,h] of [[2000,1500],[4000,3000],[8000,6000]] as const) {
    const finder = new Uint8Array(w*h); const S=3; for (let y=0;y<h;y++) for (let x=0;x<w;x++){ const fx=Math.floor(x/S)%9, fy=Math.floor(y/S)%9; const d=Math.max(Math.abs(fx-4),Math.abs(fy-4)); finder[y*w+x]= d===4||d===2?255:0; }
    const at=m._malloc(w*h); m.HEAPU8.set(finder, at);
    for (const o of [{}, {tryHarder:false}, {tryInvert:false}, {tryDownscale:false,tryInvert:false},{tryHarder:false,tryInvert:false}, {maxNumberOfSymbols:8}]) { const t=cpu(); m.readBarcodesFromPixmap(at,w,h,{...base,...o}).delete(); console.log(w,JSON.stringify(o),(cpu()-t).toFixed(0)+' ms'); }
    m._free(at);
  }
});
